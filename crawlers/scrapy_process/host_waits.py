"""Waiting for one host without delaying the others.

A request that waits in a downloader middleware until its host answers again counts for Scrapy as being downloaded, so a
few of them would take all of ``CONCURRENT_REQUESTS``. Here they do not count, and the scheduler hands out no more
requests to a host for which one is waiting.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from scrapy import Request
from scrapy.core.downloader import Downloader
from scrapy.crawler import Crawler
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface


class HostAwareDownloader(Downloader):
    """Scrapy's downloader, in which requests that wait for their host take no place."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._waiting = Counter[str]()  # requests by download slot

    @contextmanager
    def waiting(self, request: Request) -> Iterator[None]:
        """Count a request as waiting for its host during the block."""
        slot = self.get_slot_key(request)
        self._waiting[slot] += 1
        try:
            yield
        finally:
            self._waiting[slot] -= 1

    def is_waited_for(self, slot: str) -> bool:
        """Return whether a request waits for the host of a download slot."""
        return self._waiting[slot] > 0

    def needs_backout(self) -> bool:
        return 0 < self.total_concurrency <= len(self.active) - self._waiting.total()


class _AnsweringHosts(DownloaderInterface):
    """The download slots that a queue may choose from: those of hosts that no request waits for."""

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        downloader = _host_aware(self.downloader)
        return super().stats(slot for slot in possible_slots if not downloader.is_waited_for(slot))


class HostAwareQueue(DownloaderAwarePriorityQueue):
    """Scrapy's queue of scheduled requests, which keeps those to a host that is waited for."""

    def __init__(self, crawler: Crawler, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Scrapy's arguments)
        super().__init__(crawler, *args, **kwargs)
        self._downloader_interface = _AnsweringHosts(crawler)


@contextmanager
def waiting(crawler: Crawler, request: Request) -> Iterator[None]:
    """Let a request wait for its host during the block, without taking the place of another one."""
    if crawler.engine is None:
        raise RuntimeError("the crawl is over")
    with _host_aware(crawler.engine.downloader).waiting(request):
        yield


def _host_aware(downloader: Downloader) -> HostAwareDownloader:
    if not isinstance(downloader, HostAwareDownloader):
        raise TypeError(f"the crawl has a {type(downloader).__name__}, not a HostAwareDownloader")
    return downloader
