"""The stand-in over HTTP: one port, and a path prefix for each host of the sources."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b
from struct import pack
from threading import Thread

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from crawlers.fields import parse_day
from crawlers.settings import CrawlSettings
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import Fault, Faults
from crawlers.standin.pages import HMALL_CHANNELS, NSMALL_CHANNELS, NoSuchPage, Pages

log = structlog.get_logger(__name__)

HOSTS = {
    "kok_url": "kok.uplus.co.kr",
    "hnsmall_url": "www.hnsmall.com",
    "hmall_api_url": "wwwca.hmall.com",
    "hmall_url": "www.hmall.com",
    "nsmall_api_url": "mapi.nsmall.com",
    "nsmall_url": "m.nsmall.com",
}
ROBOTS = "User-agent: *\nDisallow: /order/\nAllow: /\n"


@dataclass(frozen=True, slots=True)
class Standin:
    """A running stand-in: its address, the settings that point a crawl at it, and the rules for wrong answers."""

    url: str
    settings: CrawlSettings
    faults: Faults

    @property
    def env(self) -> dict[str, str]:
        """The same settings as environment variables."""
        return base_urls(self.url) | {"UKOK_CRAWL_DELAY_SECONDS": "0"}


def base_urls(address: str) -> dict[str, str]:
    """The setting of each host's base URL, by environment variable, for a stand-in at ``address``."""
    return {f"UKOK_{name.upper()}": f"{address}/{host}" for name, host in HOSTS.items()}


def build_app(catalog: Catalog, clock: Callable[[], datetime], faults: Faults | None = None) -> Starlette:
    """The web application. ``clock`` decides which show is on air."""
    pages = Pages(catalog, clock)
    kok_list = lru_cache(maxsize=None)(pages.kok_list)
    kok_product = lru_cache(maxsize=None)(pages.kok_product)
    since = format_datetime(clock().astimezone(UTC), usegmt=True)

    def route(path: str, render: Callable[[Request], str], media_type: str) -> Route:
        async def endpoint(request: Request) -> Response:
            fault = faults.due(f"{request.url.path}?{request.url.query}") if faults else None
            return _answer(request, render, media_type, since, fault)

        return Route(path, endpoint)

    def html(path: str, render: Callable[[Request], str]) -> Route:
        return route(path, render, "text/html")

    def api(path: str, render: Callable[[Request], str]) -> Route:
        return route(path, render, "application/json")

    robots = route("/robots.txt", lambda _: ROBOTS, "text/plain")
    hosts: dict[str, list[BaseRoute]] = {
        "kok.uplus.co.kr": [
            html(
                "/m/event/category/uplus/page",
                lambda r: kok_list(r.query_params["code"], int(r.query_params["page"])),
            ),
            html("/m/product", lambda r: kok_product(r.query_params["proCode"])),
        ],
        "www.hnsmall.com": [
            html(
                "/display/tvschedule-list",
                lambda r: pages.hnsmall_schedule(parse_day(r.query_params["broadDay"])),
            ),
        ],
        "wwwca.hmall.com": [
            api(
                "/api/hf/dp/v1/main-tv-new/tv-list",
                lambda r: pages.hmall_schedule(
                    _one_of(HMALL_CHANNELS, r.query_params["brodType"]), parse_day(r.query_params["brodDt"])
                ),
            ),
        ],
        "mapi.nsmall.com": [
            api(
                "/md/api/v1/display/media/schedule/brdctPriceInfo",
                lambda r: pages.nsmall_prices(
                    _one_of(NSMALL_CHANNELS, r.query_params["CnnlCd"]), parse_day(r.query_params["formDate"])
                ),
            ),
            api(
                "/md/api/v1/display/media/schedule/{channel}/{day}",
                lambda r: pages.nsmall_schedule(
                    _one_of(NSMALL_CHANNELS, r.path_params["channel"]), parse_day(r.path_params["day"])
                ),
            ),
        ],
    }
    return Starlette(
        routes=[robots, *(Mount(f"/{host}", routes=[robots, *hosts.get(host, [])]) for host in HOSTS.values())]
    )


def serve(catalog: Catalog, host: str, port: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Serve a catalog until interrupted; port 0 takes a free one. Fails with ``OSError`` if the port is taken."""
    with _listen(host, port) as listener:
        log.info("stand-in ready", url=_address(listener))
        _server(build_app(catalog, clock)).run(sockets=[listener])


@contextmanager
def running_standin(catalog: Catalog, now: datetime | None = None) -> Iterator[Standin]:
    """Serve a catalog on a free loopback port from a thread. With ``now`` the stand-in's clock stands still there."""
    faults = Faults()
    with _listen("127.0.0.1", 0) as listener:
        server = _server(build_app(catalog, lambda: now or datetime.now(UTC), faults))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="standin", daemon=True)
        thread.start()
        url = _address(listener)
        settings = CrawlSettings.model_validate(
            {name: f"{url}/{host}" for name, host in HOSTS.items()} | {"crawl_delay_seconds": 0}
        )
        try:
            yield Standin(url, settings, faults)
        finally:
            server.should_exit = True
            thread.join()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections made before the server runs wait in its queue."""
    listener = socket.create_server((host, port), backlog=512)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _server(app: Starlette) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, http=_Connection, lifespan="off", log_level="warning", access_log=False))


class _Connection(H11Protocol):
    """Hands its transport to the application, so that a fault can tear the connection down."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _answer(
    request: Request, render: Callable[[Request], str], media_type: str, since: str, fault: Fault | None
) -> Response:
    if fault is not None and fault.reset:
        _reset(request.scope["state"]["transport"])
        return Response()
    if fault is not None and fault.status is not None:
        return PlainTextResponse("out of order", status_code=fault.status, headers=fault.headers)
    try:
        body = render(request).encode()
    except NoSuchPage as error:
        raise HTTPException(404, f"no page {error}") from error
    except (KeyError, ValueError) as error:
        raise HTTPException(400, f"bad request: {error}") from error
    if fault is not None and fault.edit is not None:
        body = fault.edit(body)
    headers = {"ETag": f'"{blake2b(body, digest_size=8).hexdigest()}"', "Last-Modified": since}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _reset(transport: asyncio.Transport) -> None:
    """Close with a TCP reset: no lingering, nothing sent."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    transport.abort()


def _one_of(known: dict[str, int], name: str) -> str:
    if name not in known:
        raise NoSuchPage(name)
    return name
