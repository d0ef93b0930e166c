"""Downloader middleware that waits while a host is away, instead of giving up its pages one after another."""

import asyncio
import logging
from collections import Counter
from typing import Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.misc import load_object

from crawlers.scrapy_process.host_waits import waiting

log = logging.getLogger(__name__)

FAILURES = 3  # in a row, before a host is suspected to be away
PROBES = 8


class HostAway(Exception):
    """A request was not sent, because its host may be away."""


class CircuitBreaker:
    """Downloader middleware: pauses a host whose requests fail in a row, and probes it until it answers.

    A failure is what Scrapy retries: a lost connection, a timeout, some status codes. The probe asks for the page that
    the host answered last. If it answers at once, only the pages that failed are broken, and they are retried as usual;
    if it answers later, they are requested again without counting as retries. The pauses double, and together last
    ``OUTAGE_SECONDS``; a host that does not answer by then gets no further request in this crawl. A host that never
    answered is not waited for. Other hosts are crawled meanwhile (:mod:`crawlers.scrapy_process.host_waits`).

    It stands between Scrapy's retries (550) and ``BackOff`` (560), so that probes also wait as long as a host asks for.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._seconds = settings.getfloat("OUTAGE_SECONDS")
        self._failing = frozenset(map(int, settings.getlist("RETRY_HTTP_CODES")))
        self._lost = tuple(map(load_object, settings.getlist("RETRY_EXCEPTIONS")))
        self._failures: Counter[str] = Counter()
        self._answered: dict[str, str] = {}  # the URL that each host answered last
        self._outages: dict[str, asyncio.Task[bool]] = {}
        self._closed: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("probe"):
            return
        host = _host(request)
        while host in self._outages:
            with waiting(self._crawler, request):
                await asyncio.wait([self._outages[host]])
        if host in self._closed:
            raise IgnoreRequest(self._closed[host])

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        if response.status not in self._failing:
            host = _host(request)
            del self._failures[host]
            if request.method == "GET":
                self._answered[host] = request.url
            return response
        return _again(request) if await self._is_away(request, f"HTTP {response.status}") else response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if isinstance(exception, HostAway):
            return _again(request)
        if isinstance(exception, self._lost) and await self._is_away(request, type(exception).__name__):
            return _again(request)
        return None

    async def _is_away(self, request: Request, failure: str) -> bool:
        """Count a failure. Once its host is suspected, wait until it answers; return whether it was away."""
        if request.meta.get("dont_retry"):
            return False
        host = _host(request)
        if host not in self._outages:
            self._failures[host] += 1
            if self._failures[host] < FAILURES or host not in self._answered:
                return False
            self._outages[host] = asyncio.ensure_future(self._wait_out(host, failure))
            self._empty_queue(request)
        with waiting(self._crawler, request):
            return await self._outages[host]

    async def _wait_out(self, host: str, failure: str) -> bool:
        """Probe a host until it answers, or close it. Return False if it answered the first probe."""
        pause = self._seconds / ((1 << PROBES) - 1)
        try:
            for number in range(PROBES):
                await asyncio.sleep(pause * (1 << number))
                if await self._answers(host):
                    return number > 0
                log.warning("%s is away (%s): pause %d of %d", host, failure, number + 1, PROBES)
            self._closed[host] = f"{host} did not answer for {self._seconds:.0f} s ({failure}); crawl again later"
            return True
        finally:
            del self._outages[host]
            del self._failures[host]

    async def _answers(self, host: str) -> bool:
        meta = {"probe": True, "dont_retry": True}
        if self._crawler.engine is None:
            raise RuntimeError("the crawl is over")
        try:
            probe = Request(self._answered[host], NO_CALLBACK, meta=meta, dont_filter=True)
            response = await self._crawler.engine.download_async(probe)
        except self._lost:
            return False
        except (IgnoreRequest, DownloadCancelledError):  # by our own rules, such as the budget
            return True
        return response.status not in self._failing

    def _empty_queue(self, request: Request) -> None:
        """Take the requests to the host that are queued in the downloader out of it."""
        engine = self._crawler.engine
        slot = engine and engine.downloader.slots.get(request.meta["download_slot"])
        while slot and slot.queue:
            slot.queue.popleft()[1].errback(HostAway())


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc


def _again(request: Request) -> Request:
    """Return the request to be sent once more."""
    return request.replace(dont_filter=True)
