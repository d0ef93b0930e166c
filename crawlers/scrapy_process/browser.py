"""Rendering of pages whose content needs their scripts: Scrapy fetches them, Chromium runs the scripts.

The browser has no network of its own: the requests of a page's scripts go through Scrapy's engine too. So robots.txt,
pauses, Retry-After, retries, user agent and stats cover rendered pages like any other. Only scripts and data from the
source's own hosts are fetched; images, styles, frames and other hosts are not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Route
from playwright.async_api import Request as PageRequest
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.http.request import NO_CALLBACK
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from scrapy_playwright.page import PageMethod

from crawlers.quality.contracts import BrokenPage, whole_html
from crawlers.scrapy_process.politeness import Forbidden
from crawlers.spiders_base.source_spider import source_spider_of

DATA = ("xhr", "fetch")
RENDER_TIMEOUT = 10_000  # milliseconds for a page to show its content once all of its requests are answered
MAX_REQUESTS = 50  # of one page's scripts
MAX_CACHED_SCRIPTS = 200

Fetch = Callable[[Request], Awaitable[Response]]


class BrowserRendering:
    """Downloader middleware, the outermost: renders the HTML pages that the spider names in ``ready``.

    A page that is cut short or not 200 passes unchanged: the spider reports what is wrong with it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._handler = ScrapyPlaywrightDownloadHandler(crawler)
        self._scripts: dict[str, asyncio.Future[Response]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(crawler)
        crawler.signals.connect(middleware.close, signals.engine_stopped)
        return middleware

    async def close(self) -> None:
        await self._handler.close()

    async def process_response(self, request: Request, response: Response) -> Response:
        spider = source_spider_of(self._crawler)
        ready = spider.ready.get(getattr(request.callback, "__name__", ""))
        if ready is None or response.status != 200:
            return response
        try:
            page = whole_html(response)
        except BrokenPage:
            return response
        hosts = {urlsplit(base).netloc for base in spider.job.settings.bases(spider.job.source)}
        return await self._render(Visit(page, request, hosts, self._fetch), ready)

    async def _render(self, visit: "Visit", ready: str) -> Response:
        meta = {
            "playwright": True,
            "playwright_context_kwargs": {
                "user_agent": self._crawler.settings["USER_AGENT"],
                "service_workers": "block",
            },
            "playwright_page_init_callback": visit.begin,
            "playwright_page_goto_kwargs": {"wait_until": "commit"},
            "playwright_page_methods": [PageMethod(visit.settle, ready)],
        }
        rendered = await self._handler.download_request(Request(visit.page.url, meta=meta))
        if visit.failures:
            raise IgnoreRequest(f"the page could not be rendered: {visit.failures[0]}")
        if not isinstance(rendered, TextResponse):
            raise IgnoreRequest(f"the browser made a {type(rendered).__name__} of the page")
        headers = visit.page.headers.copy()
        if visit.used_data:
            # They are validators of the page without its data.
            headers.pop("ETag", None)
            headers.pop("Last-Modified", None)
        return visit.page.replace(body=rendered.body, encoding=rendered.encoding, headers=headers)

    async def _fetch(self, request: Request) -> Response:
        """Fetch what a page requests; a script file is fetched once in a crawl."""
        if self._crawler.engine is None:
            raise RuntimeError("the crawl is over")
        if request.meta["kind"] in DATA:
            return await self._crawler.engine.download_async(request)
        script = self._scripts.get(request.url)
        if script is None or _failed(script):
            script = asyncio.ensure_future(self._crawler.engine.download_async(request))
            if len(self._scripts) < MAX_CACHED_SCRIPTS:
                self._scripts[request.url] = script
        return await script


class Visit:
    """A page in the browser. ``fetch`` gets the responses to its requests, from its ``hosts`` only.

    ``failures``: requests of its scripts that got no response, so that its content cannot be trusted.
    """

    def __init__(self, page: TextResponse, request: Request, hosts: set[str], fetch: Fetch) -> None:
        self.page = page
        self.failures: list[str] = []
        self.used_data = False
        self._request = request
        self._hosts = hosts
        self._fetch = fetch
        self._opened = False
        self._requests = 0
        self._pending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def begin(self, page: Page, request: Request) -> None:
        """Route the requests of a new browser page through Scrapy."""
        self._opened = False
        await page.route("**", self._handle)

    async def settle(self, page: Page, ready: str) -> None:
        """Wait until the content is there and no request is pending.

        The timeout runs only while no request is pending: how long requests take depends on the politeness settings.
        After the timeout the page stays as it is, and the spider reports what it lacks.
        """
        while not self.failures:
            try:
                await page.wait_for_selector(ready, state="attached", timeout=RENDER_TIMEOUT)
                await page.wait_for_load_state("networkidle", timeout=RENDER_TIMEOUT)
                return
            except BrowserTimeout:
                if self._quiet.is_set():
                    return
                await self._quiet.wait()

    async def _handle(self, route: Route, request: PageRequest) -> None:
        self._pending += 1
        self._quiet.clear()
        try:
            response = await self._response_to(request)
            with suppress(BrowserError):  # the page was closed meanwhile
                if response is None:
                    await route.abort()
                else:
                    await route.fulfill(status=response.status, headers=_headers(response), body=response.body)
        finally:
            self._pending -= 1
            if not self._pending:
                self._quiet.set()

    async def _response_to(self, request: PageRequest) -> Response | None:
        """Return the response to a request of the page; None if the request is refused."""
        if request.is_navigation_request():
            first, self._opened = not self._opened, True
            return self.page if first else None
        if request.resource_type not in ("script", *DATA) or urlsplit(request.url).netloc not in self._hosts:
            return None
        self.used_data |= request.resource_type in DATA
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            self.failures.append(f"its scripts made more than {MAX_REQUESTS} requests")
            return None
        (found,) = await asyncio.gather(self._fetch(self._scrapy_request(request)), return_exceptions=True)
        if isinstance(found, Forbidden):
            return None
        if isinstance(found, BaseException):
            self.failures.append(f"{request.url}: {type(found).__name__}: {found}")
            return None
        if found.status == 429 or found.status >= 500:
            self.failures.append(f"{request.url}: HTTP {found.status}")
        return found

    def _scrapy_request(self, request: PageRequest) -> Request:
        """Return a request of the page as a Scrapy request, with the crawl's own user agent."""
        own = {"user-agent", "accept-encoding", "cookie"}
        headers = {
            name: value for name, value in request.headers.items() if name not in own and not name.startswith("sec-")
        }
        return Request(
            request.url,
            NO_CALLBACK,
            method=request.method,
            headers=headers,
            body=request.post_data_buffer or b"",
            meta={"dataset": self._request.meta.get("dataset"), "kind": request.resource_type},
        )


def _failed(script: asyncio.Future[Response]) -> bool:
    return script.done() and (script.cancelled() or script.exception() is not None or script.result().status >= 400)


def _headers(response: Response) -> dict[str, str]:
    """Return the headers of a response whose body is decompressed."""
    dropped = {"content-encoding", "content-length", "transfer-encoding", "set-cookie", "connection"}
    names = (name.decode("latin-1") for name in response.headers)
    return {name: ", ".join(_values(response, name)) for name in names if name.lower() not in dropped}


def _values(response: Response, name: str) -> list[str]:
    return [value.decode("latin-1") for value in response.headers.getlist(name)]
