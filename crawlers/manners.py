"""How politely a crawl behaves, whatever the spider."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser

from crawlers.settings import CrawlSettings


def scrapy_settings(settings: CrawlSettings) -> dict[str, Any]:
    """Scrapy's settings for a crawl. robots.txt is obeyed, and AutoThrottle slows down further for a slow host."""
    return {
        "BOT_NAME": "ukok",
        "SPIDER_MODULES": list(settings.spider_modules),
        "USER_AGENT": settings.user_agent,
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 1.25 * settings.crawl_delay_seconds,
        "DOWNLOAD_DELAY_JITTER": 0.2,  # so a pause is 1 to 1.5 times the setting, never shorter
        "CONCURRENT_REQUESTS": settings.crawl_concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": settings.crawl_concurrency,
        "AUTOTHROTTLE_ENABLED": settings.crawl_delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": 1.25 * settings.crawl_delay_seconds,
        "DOWNLOAD_TIMEOUT": 30,
        "RETRY_TIMES": settings.crawl_retries,
        "DOWNLOADER_MIDDLEWARES": {RobotsTxtMiddleware: None, RobotsTxt: 100, RetryAfter: 560},
        "ITEM_PIPELINES": {"crawlers.feeds.Feed": 100},
        "RETRY_AFTER_MAX": settings.crawl_max_wait_seconds,
        "COOKIES_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }


class RobotsTxt(RobotsTxtMiddleware):
    """Scrapy's, with two gaps closed.

    Of several requests that wait for robots.txt together only the first got to see it. And one that cannot be read
    forbids everything, as RFC 9309 has it.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._turns: dict[str, asyncio.Lock] = {}

    async def robot_parser(self, request: Request) -> RobotParser:
        host = urlsplit(request.url).netloc
        async with self._turns.setdefault(host, asyncio.Lock()):
            parser = await super().robot_parser(request)
        if parser is None:
            raise IgnoreRequest(f"robots.txt of {host} could not be read, so nothing may be")
        return parser

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            raise IgnoreRequest(f"HTTP {response.status}")
        await super()._parse_robots(response, netloc, request)


class RetryAfter:
    """Downloader middleware: a host that answers 429 or 503 with Retry-After is left alone for so long.

    The retry itself is Scrapy's; it stands nearer to the engine, so the answer passes here first. A host that asks for
    more than ``RETRY_AFTER_MAX`` seconds gets no further request in this crawl.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._free_at: dict[str, float] = {}
        self._closed: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings.getfloat("RETRY_AFTER_MAX"))

    async def process_request(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        while (wait := self._free_at.get(host, 0.0) - monotonic()) > 0:  # noqa: ASYNC110 (it may move on meanwhile)
            await asyncio.sleep(wait)
        if host in self._closed:
            raise IgnoreRequest(self._closed[host])

    def process_response(self, request: Request, response: Response) -> Response:
        header = response.headers.get("Retry-After")
        if response.status not in (429, 503) or header is None:
            return response
        wait = retry_after(header.decode("latin-1"), lambda: datetime.now(UTC))
        host = urlsplit(request.url).netloc
        if wait > self._longest:
            self._closed[host] = f"HTTP {response.status}: {host} asks to come back after {wait:.0f} s"
            request.meta["dont_retry"] = True
        else:
            self._free_at[host] = max(self._free_at.get(host, 0.0), monotonic() + wait)
        return response


def retry_after(header: str, clock: Callable[[], datetime]) -> float:
    """Seconds that a Retry-After header asks to wait: a number, or an HTTP date; 0 if it is neither."""
    text = header.strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - clock()).total_seconds())
