"""Pages that only a browser can read. Scrapy fetches them, Chromium runs their scripts.

The browser has no network of its own: what a page's scripts ask for goes through Scrapy's engine as well. So
robots.txt, pauses, Retry-After, retries, the user agent and every count hold for a rendered page as for any other. Only
scripts and the data they ask of the source's own hosts are fetched; images, styles, frames and other hosts are not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Route
from playwright.async_api import Request as PageRequest
from playwright.async_api import TimeoutError as TimeIsUp
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.http.request import NO_CALLBACK
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from scrapy_playwright.page import PageMethod

from crawlers.quality.contracts import BrokenPage, whole_html
from crawlers.scrapy_process.politeness import Forbidden
from crawlers.spiders_base.source_spider import SourceSpider

DATA = ("xhr", "fetch")
PATIENCE = 10_000  # milliseconds for a page to show its content once all that it asked for has come
MOST_REQUESTS = 50  # of one page's scripts
KEPT_SCRIPTS = 200

Fetch = Callable[[Request], Awaitable[Response]]


class Browser:
    """Downloader middleware, the outermost: an HTML page that the spider names in ``ready`` is rendered once it came.

    A page that is not whole, or that is not 200, passes as it is: the spider says what is wrong with it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._handler = ScrapyPlaywrightDownloadHandler(crawler)
        self._scripts: dict[str, asyncio.Future[Response]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        browser = cls(crawler)
        crawler.signals.connect(browser.close, signals.engine_stopped)
        return browser

    async def close(self) -> None:
        await self._handler.close()

    async def process_response(self, request: Request, response: Response) -> Response:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"the browser serves spiders of our sources, not {type(spider).__name__}")
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
            # They tell the age of the page without its data, and must not vouch for both.
            headers.pop("ETag", None)
            headers.pop("Last-Modified", None)
        return visit.page.replace(body=rendered.body, encoding=rendered.encoding, headers=headers)

    async def _fetch(self, request: Request) -> Response:
        """What a page asks for; a script file is fetched once in a crawl."""
        if self._crawler.engine is None:
            raise RuntimeError("the crawl is over")
        if request.meta["kind"] in DATA:
            return await self._crawler.engine.download_async(request)
        script = self._scripts.get(request.url)
        if script is None or _failed(script):
            script = asyncio.ensure_future(self._crawler.engine.download_async(request))
            if len(self._scripts) < KEPT_SCRIPTS:
                self._scripts[request.url] = script
        return await script


class Visit:
    """A page in the browser, and the answers to what it asks for, which ``fetch`` gets from its ``hosts``.

    ``failures``: requests of its scripts that got no answer, so that its content cannot be trusted.
    """

    def __init__(self, page: TextResponse, request: Request, hosts: set[str], fetch: Fetch) -> None:
        self.page = page
        self.failures: list[str] = []
        self.used_data = False
        self._request = request
        self._hosts = hosts
        self._fetch = fetch
        self._opened = False
        self._asked = 0
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def begin(self, page: Page, request: Request) -> None:
        """Stand between a new browser page and the network."""
        self._opened = False
        await page.route("**", self._answer)

    async def settle(self, page: Page, ready: str) -> None:
        """Wait until the content is there and nothing is under way.

        Time counts only while the page waits for nothing: how long its requests take is a matter of manners. When the
        time is up, the page is left as it is, and the spider says what it lacks.
        """
        while not self.failures:
            try:
                await page.wait_for_selector(ready, state="attached", timeout=PATIENCE)
                await page.wait_for_load_state("networkidle", timeout=PATIENCE)
                return
            except TimeIsUp:
                if self._quiet.is_set():
                    return
                await self._quiet.wait()

    async def _answer(self, route: Route, request: PageRequest) -> None:
        self._under_way += 1
        self._quiet.clear()
        try:
            answer = await self._find(request)
            with suppress(BrowserError):  # the page has been closed, and nobody waits for the answer
                if answer is None:
                    await route.abort()
                else:
                    await route.fulfill(status=answer.status, headers=_headers(answer), body=answer.body)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def _find(self, request: PageRequest) -> Response | None:
        """The answer to a request of the page; None if it gets none."""
        if request.is_navigation_request():
            first, self._opened = not self._opened, True
            return self.page if first else None
        if request.resource_type not in ("script", *DATA) or urlsplit(request.url).netloc not in self._hosts:
            return None
        self.used_data |= request.resource_type in DATA
        self._asked += 1
        if self._asked > MOST_REQUESTS:
            self.failures.append(f"its scripts asked for more than {MOST_REQUESTS} things")
            return None
        (found,) = await asyncio.gather(self._fetch(self._as_ours(request)), return_exceptions=True)
        if isinstance(found, Forbidden):
            return None
        if isinstance(found, BaseException):
            self.failures.append(f"{request.url}: {type(found).__name__}: {found}")
            return None
        if found.status == 429 or found.status >= 500:
            self.failures.append(f"{request.url}: HTTP {found.status}")
        return found

    def _as_ours(self, request: PageRequest) -> Request:
        """A request of the page as one of the crawl, with the crawl's own user agent."""
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


def _headers(answer: Response) -> dict[str, str]:
    """Headers of an answer whose body is unpacked and whole by now."""
    gone = {"content-encoding", "content-length", "transfer-encoding", "set-cookie", "connection"}
    names = (name.decode("latin-1") for name in answer.headers)
    return {name: ", ".join(_values(answer, name)) for name in names if name.lower() not in gone}


def _values(answer: Response, name: str) -> list[str]:
    return [value.decode("latin-1") for value in answer.headers.getlist(name)]
