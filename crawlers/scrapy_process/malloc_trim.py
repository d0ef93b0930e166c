"""Extension that keeps the memory of the spider process constant, however long the crawl runs."""

import ctypes
import gc
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import create_looping_call

TRIM_SECONDS = 0.5


class MallocTrim:
    """Scrapy extension for memory that pages use: they are large, short-lived, and part of reference cycles.

    Once the spider is open, all modules imported so far are excluded from garbage collection, so that a full collection
    is cheap and can run often. ``malloc_trim`` returns freed memory to the system; by itself the C library keeps every
    gap between live objects.
    """

    def __init__(self) -> None:
        # The C libraries of other systems lack this function, and do not need it.
        self._malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
        self._trimming = create_looping_call(lambda: self._malloc_trim(0))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls()
        crawler.signals.connect(extension.start, signals.spider_opened)
        crawler.signals.connect(extension.stop, signals.spider_closed)
        return extension

    def start(self) -> None:
        gc.freeze()
        gc.set_threshold(700, 10, 2)  # a full collection after some thirty pages, at about a millisecond
        self._trimming.start(TRIM_SECONDS)

    def stop(self) -> None:
        self._trimming.stop()
