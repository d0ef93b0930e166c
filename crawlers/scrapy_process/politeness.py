"""Politeness of every crawl: Scrapy's settings, robots.txt, back-off, and the daily request budget."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from scrapy.spidermiddlewares.depth import DepthMiddleware
from scrapy.spidermiddlewares.urllength import UrlLengthMiddleware

from crawlers.scrapy_process.circuit_breaker import CircuitBreaker
from crawlers.scrapy_process.crawl_stats import CrawlStats, requests_sent
from crawlers.scrapy_process.host_waits import HostAwareDownloader, HostAwareQueue, waiting
from crawlers.scrapy_process.response_size import MAX_BYTES, BoundedDecompression
from crawlers.settings import CrawlSettings
from crawlers.spiders_base.source_spider import BudgetSpent, source_spider_of

JITTER = 0.2
MARGIN = 1 / (1 - JITTER)  # factor on the pause, so that the jitter never makes it shorter than its setting


def scrapy_settings(settings: CrawlSettings, source: str) -> dict[str, Any]:
    """Return Scrapy's settings for a crawl. AutoThrottle slows down further for a slow host.

    Optional components are named by their path, so that they are imported only where they are used.
    """
    renders = source in settings.crawl_browser
    return {
        "BOT_NAME": "ukok",
        "SPIDER_MODULES": list(settings.spider_modules),
        "USER_AGENT": settings.user_agent,
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": MARGIN * settings.crawl_delay_seconds,
        "DOWNLOAD_DELAY_JITTER": JITTER,
        "CONCURRENT_ITEMS": 1,  # of one page; Scrapy starts that many tasks for every page
        "DOWNLOADER": HostAwareDownloader,
        "SCHEDULER_PRIORITY_QUEUE": HostAwareQueue,
        "CONCURRENT_REQUESTS": settings.crawl_concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": settings.crawl_concurrency,
        "AUTOTHROTTLE_ENABLED": settings.crawl_delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": MARGIN * settings.crawl_delay_seconds,
        "DOWNLOAD_TIMEOUT": 30,
        "RETRY_TIMES": settings.crawl_retries,
        "DOWNLOAD_MAXSIZE": MAX_BYTES,
        "DOWNLOADER_MIDDLEWARES": {
            RobotsTxtMiddleware: None,
            RobotsTxt: 100,
            CircuitBreaker: 555,
            BackOff: 560,
            HttpCompressionMiddleware: None,
            "crawlers.scrapy_process.charset_repair.CharsetRepair": 580,  # sees the decompressed body
            BoundedDecompression: 590,
            RequestBudget: 840,
        }
        | ({"crawlers.scrapy_process.browser.BrowserRendering": 50} if renders else {}),
        "PLAYWRIGHT_LAUNCH_OPTIONS": _browser_options(settings.chromium_path) if renders else {},
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 4,
        "ITEM_PIPELINES": {"crawlers.scrapy_process.item_writer.ItemWriter": 100}
        | ({"crawlers.scrapy_process.image_pipeline.ProductImages": 200} if settings.crawl_images else {}),
        "SPIDER_MIDDLEWARES": {DepthMiddleware: None, UrlLengthMiddleware: None},  # URLs are built, not followed
        "EXTENSIONS": {CrawlStats: 0, "crawlers.scrapy_process.malloc_trim.MallocTrim": 0},
        "METAREFRESH_ENABLED": False,
        "RETRY_AFTER_MAX": settings.crawl_max_wait_seconds,
        "OUTAGE_SECONDS": settings.crawl_outage_seconds,
        "COOKIES_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }


def _browser_options(program: str | None) -> dict[str, Any]:
    """Return the launch options of the browser. It resolves no host name, so that it has no network of its own.

    Chromium refuses to run as root with its sandbox; for every other user the sandbox stays on.
    """
    return {
        "executable_path": program,
        "args": ["--host-resolver-rules=MAP * ~NOTFOUND"],
        "chromium_sandbox": os.geteuid() != 0,
    }


class Forbidden(IgnoreRequest):
    """robots.txt forbids a request."""


class RobotsTxt(RobotsTxtMiddleware):
    """Downloader middleware: Scrapy's, with three gaps closed.

    Requests that wait for the same robots.txt all respect it, not only the first. A robots.txt that cannot be read, or
    a host that is too busy to serve it, forbids everything (RFC 9309). A Crawl-delay longer than our own pause is
    obeyed; above ``RETRY_AFTER_MAX`` seconds the host is not crawled.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._locks: dict[str, asyncio.Lock] = {}
        self._unreadable: dict[str, str] = {}
        self._delay = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._longest = crawler.settings.getfloat("RETRY_AFTER_MAX")

    async def robot_parser(self, request: Request) -> RobotParser:
        host = urlsplit(request.url).netloc
        async with self._locks.setdefault(host, asyncio.Lock()):
            parser = await super().robot_parser(request)
        if parser is None:
            why = self._unreadable[host]
            raise IgnoreRequest(f"robots.txt of {host} could not be read ({why}), so nothing else may be")
        pause = parser.crawl_delay(self._default_useragent) or 0
        if pause > self._longest:
            raise Forbidden(f"robots.txt of {host} asks for {pause:.0f} s between requests: too long for a crawl")
        if MARGIN * pause > self._delay:
            self._slow_down(request, MARGIN * pause)
        return parser

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise Forbidden(f"robots.txt of {urlsplit(request.url).netloc} forbids the page") from error

    def _slow_down(self, request: Request, delay: float) -> None:
        """Lengthen the delay of a host's slot, and keep AutoThrottle from shortening it again."""
        downloader = self.crawler.engine.downloader
        host = downloader.get_slot_key(request)
        downloader.per_slot_settings[host] = {"delay": delay}  # for a slot that is created anew after an idle minute
        if host in downloader.slots:
            downloader.slots[host].delay = delay
        request.meta["autothrottle_dont_adjust_delay"] = True

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status == 429 or response.status >= 500:
            raise IgnoreRequest(f"HTTP {response.status}")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unreadable[netloc] = " ".join(str(exc).split()).rstrip(".") or type(exc).__name__
        super()._robots_error(exc, netloc)


class BackOff:
    """Downloader middleware: sends no request for a while to a host that answers 429 or 503.

    The wait is that of its Retry-After; without one 2, 4, 8 … times the pause between requests, plus up to half as much
    again so that not all crawlers come back together. A host that asks for more than ``RETRY_AFTER_MAX`` seconds gets
    no further request in this crawl. The retry itself is Scrapy's middleware, which is nearer to the engine and so sees
    the response later.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._longest = crawler.settings.getfloat("RETRY_AFTER_MAX")
        self._pause = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._random = Random(crawler.settings["USER_AGENT"])  # noqa: S311 (no secret depends on it)
        self._refusals: Counter[str] = Counter()
        self._resume_at: dict[str, float] = {}
        self._closed: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        while (wait := self._resume_at.get(host, 0.0) - monotonic()) > 0:  # it may be postponed meanwhile
            with waiting(self._crawler, request):
                await asyncio.sleep(wait)
        if host in self._closed:
            raise IgnoreRequest(self._closed[host])

    def process_response(self, request: Request, response: Response) -> Response:
        host = urlsplit(request.url).netloc
        if response.status not in (429, 503):
            del self._refusals[host]
            return response
        header = response.headers.get("Retry-After")
        wait = None if header is None else retry_after(header.decode("latin-1"), lambda: datetime.now(UTC))
        if wait is None:
            wait = self._longer(host)
        if wait > self._longest:
            self._closed[host] = f"HTTP {response.status}: {host} asks for a pause of {wait:.0f} s"
            request.meta["dont_retry"] = True
        else:
            self._resume_at[host] = max(self._resume_at.get(host, 0.0), monotonic() + wait)
        self._hold_queue(request, host)
        return response

    def _longer(self, host: str) -> float:
        """Return the seconds to wait after another refusal; refusals during a wait count as one."""
        if self._resume_at.get(host, 0.0) <= monotonic():
            self._refusals[host] += 1
        wait = self._pause * (1 << min(self._refusals[host], 10)) * self._random.uniform(1, 1.5)
        return min(wait, self._longest)

    def _hold_queue(self, request: Request, host: str) -> None:
        """Make the requests that are queued in the downloader wait too, or fail if the host is closed."""
        engine = self._crawler.engine
        slot = engine and engine.downloader.slots.get(request.meta["download_slot"])
        if not slot:
            return
        slot.lastseen = max(slot.lastseen, self._resume_at.get(host, 0.0))
        while host in self._closed and slot.queue:
            slot.queue.popleft()[1].errback(IgnoreRequest(self._closed[host]))


class RequestBudget:
    """Downloader middleware: refuses requests beyond those that the source may still get on this day.

    It stands directly before Scrapy's ``DownloaderStats`` (850), whose request count it compares with the budget.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._job = source_spider_of(crawler).job

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if requests_sent(self._crawler) >= self._job.requests_left:
            raise BudgetSpent(self._job.budget_error)


def retry_after(header: str, clock: Callable[[], datetime]) -> float | None:
    """Return the seconds of a Retry-After header, a number or an HTTP date; None if it is neither."""
    text = header.strip()
    if text.isdecimal():
        return float(text)
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    if instant.tzinfo is None:  # the zone is written -0000
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - clock()).total_seconds())
