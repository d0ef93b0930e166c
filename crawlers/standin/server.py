"""HTTP server of the stand-in: one port, with a path prefix for each host of the sources."""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from struct import pack
from threading import Thread
from types import MappingProxyType

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crawlers.parsing import parse_day
from crawlers.settings import CrawlSettings
from crawlers.standin.catalog import Catalog
from crawlers.standin.content import CHANNELS, CatalogContent
from crawlers.standin.faults import Faults
from crawlers.standin.images import picture
from crawlers.standin.pages import NoSuchPage, Pages, scripted_page
from crawlers.standin.validators import Validators, is_current

log = structlog.get_logger(__name__)

Render = Callable[[Pages, Request], str]
Content = tuple[bytes, str]  # a body and its media type

HOSTS = {
    "kok_url": "kok.uplus.co.kr",
    "hnsmall_url": "www.hnsmall.com",
    "hmall_api_url": "wwwca.hmall.com",
    "hmall_url": "www.hmall.com",
    "nsmall_api_url": "mapi.nsmall.com",
    "nsmall_url": "m.nsmall.com",
}
IMAGES = "image"
ROBOTS = "User-agent: *\nDisallow: /order/\nAllow: /\n"

_SCHEDULE = "/md/api/v1/display/media/schedule"

HTML: Mapping[str, Mapping[str, Render]] = {
    "kok.uplus.co.kr": {
        "/m/event/category/uplus/page": lambda pages, r: pages.kok_list(
            r.query_params["code"], int(r.query_params["page"])
        ),
        "/m/product": lambda pages, r: pages.kok_product(r.query_params["proCode"]),
    },
    "www.hnsmall.com": {
        "/display/tvschedule-list": lambda pages, r: pages.hnsmall_schedule(parse_day(r.query_params["broadDay"])),
        "/display/goods.do": lambda pages, r: pages.hnsmall_product(r.query_params["goods_code"]),
        "/display/goods-describe.do": lambda pages, r: pages.hnsmall_frame(r.query_params["goods_code"]),
    },
    "www.hmall.com": {"/md/pda/itemPtc": lambda pages, r: pages.hmall_product(r.query_params["slitmCd"])},
    "m.nsmall.com": {"/goods/{id}": lambda pages, r: pages.nsmall_product(r.path_params["id"])},
}
JSON: Mapping[str, Mapping[str, Render]] = {
    "wwwca.hmall.com": {
        "/api/hf/dp/v1/main-tv-new/tv-list": lambda pages, r: pages.hmall_schedule(
            r.query_params["brodType"], parse_day(r.query_params["brodDt"])
        ),
    },
    "mapi.nsmall.com": {
        f"{_SCHEDULE}/brdctPriceInfo": lambda pages, r: pages.nsmall_prices(
            r.query_params["CnnlCd"], parse_day(r.query_params["formDate"])
        ),
        f"{_SCHEDULE}/{{channel}}/{{day}}": lambda pages, r: pages.nsmall_schedule(
            r.path_params["channel"], parse_day(r.path_params["day"])
        ),
    },
}
SCRIPTED = {"kok": "/m/event/category/uplus/page", "hnsmall": "/display/tvschedule-list"}
"""Listings that can be served as a page whose rows are added by a script."""


@dataclass(frozen=True)
class FurtherSource:
    """A further broadcaster: host, channels, and pages with their media type."""

    name: str
    host: str
    channels: frozenset[int]
    pages: Mapping[str, tuple[Render, str]]


def _scripted(render: Render) -> Render:
    return lambda pages, request: scripted_page(render(pages, request))


class Site:
    """Content of a running stand-in. ``clock``: current time, which determines the show on air.

    The listings of the sources in ``scripted`` are pages whose rows need a browser.
    """

    def __init__(
        self,
        catalog: Catalog,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        faults: Faults | None = None,
        scripted: Collection[str] = (),
        further: FurtherSource | None = None,
    ) -> None:
        self._further = further
        self._clock = clock
        self._faults = faults
        self._scripted = frozenset(SCRIPTED[source] for source in scripted)
        self._pages = self._render(catalog, clock)
        self._validators = Validators(clock)

    def show(self, catalog: Catalog, now: datetime | None = None) -> None:
        """Serve another catalog from the next request on; ``now`` stops the clock there."""
        clock = self._clock if now is None else lambda: now
        pages = self._render(catalog, clock)  # raises before anything changes
        self._validators.catalog_changed(clock)
        self._clock, self._pages = clock, pages

    def pages_for(self, request: Request) -> Pages:
        """Return the pages that a request is answered from."""
        return self._pages

    def app(self) -> Starlette:
        """Return the web application."""
        robots = self._route("/robots.txt", lambda _: (ROBOTS.encode(), "text/plain"))
        names = [*HOSTS.values(), *([self._further.host] if self._further else [])]
        hosts = [Mount(f"/{host}", routes=[robots, *self._routes_of(host)]) for host in names]
        image = self._route(f"/{IMAGES}/{{address:path}}", lambda request: picture(request.path_params["address"]))
        return Starlette(routes=[robots, *hosts, image])

    def _routes_of(self, host: str) -> Iterator[Route]:
        for path, render in HTML.get(host, {}).items():
            scripted = path in self._scripted
            yield self._route(path, partial(self._page, _scripted(render) if scripted else render, "text/html"))
        for path, render in JSON.get(host, {}).items():
            yield self._route(path, partial(self._page, render, "application/json"))
        if self._further and host == self._further.host:
            for path, (render, media_type) in self._further.pages.items():
                yield self._route(path, partial(self._page, render, media_type))

    def _render(self, catalog: Catalog, clock: Callable[[], datetime]) -> Pages:
        further = {self._further.name: self._further.channels} if self._further else {}
        return Pages(CatalogContent(catalog, CHANNELS | further), clock)

    def _page(self, render: Render, media_type: str, request: Request) -> Content:
        try:
            return render(self.pages_for(request), request).encode(), media_type
        except NoSuchPage as error:
            raise HTTPException(404, f"no page {error}") from error
        except (KeyError, ValueError) as error:
            raise HTTPException(400, f"bad request: {error}") from error

    def _route(self, path: str, content: Callable[[Request], Content]) -> Route:
        async def endpoint(request: Request) -> Response:
            target = f"{request.url.path}?{request.url.query}"
            fault = self._faults.next_for(target) if self._faults else None
            if fault is None:
                return self._answer(request, target, *content(request))
            await asyncio.sleep(fault.seconds)
            transport: asyncio.Transport = request.scope["state"]["transport"]
            if fault.reset:
                _reset(transport)
                return Response()
            if fault.status is not None:
                return PlainTextResponse("out of order", status_code=fault.status, headers=fault.headers)
            body, media_type = content(request)
            if fault.sent is not None:
                _break_off(transport, body, media_type, fault.sent)
                return Response()
            return self._answer(request, target, fault.edit(body) if fault.edit else body, media_type)

        return Route(path, endpoint)

    def _answer(self, request: Request, target: str, body: bytes, media_type: str) -> Response:
        headers = self._validators.of(target, body)
        if is_current(request.headers, headers):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class Standin:
    """A running stand-in: URL, settings of a crawl of it, and the faults that it injects."""

    url: str
    settings: CrawlSettings
    faults: Faults
    _site: Site

    @property
    def env(self) -> dict[str, str]:
        """The settings as environment variables."""
        return base_urls(self.url) | {"UKOK_CRAWL_DELAY_SECONDS": "0"}

    def show(self, catalog: Catalog, now: datetime | None = None) -> None:
        """Serve another catalog from the next request on; ``now`` stops the clock there."""
        self._site.show(catalog, now)


def base_urls(address: str) -> dict[str, str]:
    """Return the base URLs of all hosts as environment variables, for a stand-in at ``address``."""
    return {f"UKOK_{name.upper()}": url for name, url in _base_urls(address).items()}


def serve(site: Site, host: str, port: int) -> None:
    """Serve a site until interrupted; port 0 is any free one. Raise ``OSError`` if the port is taken."""
    with _listen(host, port) as listener:
        log.info("stand-in ready", url=_address(listener))
        _server(site.app()).run(sockets=[listener])


@contextmanager
def served_from_a_thread(site: Site) -> Iterator[str]:
    """Serve a site on a free loopback port from a thread; yield its URL."""
    with _listen("127.0.0.1", 0) as listener:
        server = _server(site.app())
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="standin", daemon=True)
        thread.start()
        try:
            yield _address(listener)
        finally:
            server.should_exit = True
            thread.join()


def crawl_settings(address: str, more_urls: Mapping[str, str] = MappingProxyType({})) -> CrawlSettings:
    """Return the settings of a crawl of a stand-in at ``address``."""
    waits = {"crawl_delay_seconds": 0, "crawl_outage_seconds": 1}
    return CrawlSettings.model_validate(_base_urls(address) | {"more_urls": dict(more_urls)} | waits)


@contextmanager
def running_standin(
    catalog: Catalog,
    now: datetime | None = None,
    scripted: Collection[str] = (),
    further: FurtherSource | None = None,
) -> Iterator[Standin]:
    """Serve a catalog on a free loopback port from a thread. ``now`` stops the stand-in's clock there.

    The listings of the sources in ``scripted`` (``kok``, ``hnsmall``) are pages whose rows need a browser. ``further``:
    one more broadcaster; its base URL is in ``more_urls`` under its name.
    """
    faults = Faults()
    site = Site(catalog, lambda: now or datetime.now(UTC), faults, scripted, further)
    with served_from_a_thread(site) as url:
        more = {further.name: f"{url}/{further.host}"} if further else {}
        yield Standin(url, crawl_settings(url, more), faults, site)


def _base_urls(address: str) -> dict[str, str]:
    return {name: f"{address}/{host}" for name, host in HOSTS.items()} | {"image_url": f"{address}/{IMAGES}"}


def _listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; connections made before the server runs wait in its queue."""
    listener = socket.create_server((host, port), backlog=512)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _server(app: Starlette) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, http=_Connection, lifespan="off", log_level="warning", access_log=False))


class _Connection(HttpToolsProtocol):
    """Passes its transport to the application, so that a fault can close the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _reset(transport: asyncio.Transport) -> None:
    """Close the connection with a TCP reset, without sending anything."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    transport.abort()


def _break_off(transport: asyncio.Transport, body: bytes, media_type: str, share: float) -> None:
    """Announce the whole body, send a part of it and close the connection."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}; charset=utf-8\r\ncontent-length: {len(body)}\r\n\r\n"
    transport.write(head.encode() + body[: int(len(body) * share)])
    transport.close()
