"""Keeps the memory of a crawl's process the same, however long it runs."""

import ctypes
import gc
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import create_looping_call

SECONDS = 0.5


class FlatHeap:
    """Scrapy extension. Pages are large, short-lived, and hang in reference cycles.

    Once the spider is open, what was imported until then is left out of garbage collection, so that a full one is cheap
    and can come often. And the C library is asked to hand back what pages occupied; by itself it keeps every gap
    between things that still live.
    """

    def __init__(self) -> None:
        # The C library of other systems has no such function, and no need of it.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
        self._trimming = create_looping_call(lambda: self._trim(0))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        heap = cls()
        crawler.signals.connect(heap.settle, signals.spider_opened)
        crawler.signals.connect(heap.stop, signals.spider_closed)
        return heap

    def settle(self) -> None:
        gc.freeze()
        gc.set_threshold(700, 10, 2)  # a full collection after some thirty pages, at about a millisecond
        self._trimming.start(SECONDS)

    def stop(self) -> None:
        self._trimming.stop()
