"""Middleware: id, log line and metrics of each request, and a bound on its body."""

import random
import re
import time
from collections.abc import Iterable

import structlog
from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.web.metrics import Metrics

log = structlog.get_logger()

# A batch of a thousand events of two kilobytes.
LARGEST_BODY = 2 * 2**20
TOO_LARGE = "the body is larger than 2 MB"
# nginx's status for a client that closed the connection.
CLIENT_CLOSED = 499
VALID_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = b"x-request-id"
# An answer with one of these headers is made to be stored: catalog and release, and the files of the documentation.
STORABLE = {b"cache-control", b"etag"}
# A browser takes an answer for what its content type says, never for a page.
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
NO_STORE = (b"cache-control", b"no-store")
BODILESS = {"GET", "HEAD", "OPTIONS"}
METHODS = BODILESS | {"POST", "PUT", "PATCH", "DELETE"}
# Probes and scrapes, every few seconds.
UNLOGGED = {"/healthz", "/readyz", "/metrics"}
UNMATCHED = "unmatched"
INTERNAL_ERROR = b'{"detail":"internal error"}'


class RequestMiddleware:
    """Logs and counts requests, and answers unhandled errors by 500. Plain ASGI, since every request passes it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._counters: dict[tuple[str, str, int], Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        status, recorded = 0, False

        def record() -> None:
            nonlocal recorded
            if not recorded:
                recorded = True
                self._record(scope, status, time.perf_counter() - started)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_more(message["headers"], request_id)
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                # The client has its answer; what the application does in the background is not its time.
                record()

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request_failed", method=_method(scope), route=route_of(scope))
            if status:
                raise
            await _send_internal_error(send_with_id)
        finally:
            record()
            structlog.contextvars.unbind_contextvars("request_id")

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = _method(scope)
        key = (method if route != UNMATCHED else "any", route, status)
        counter = self._counters.get(key)
        if counter is None:
            method, path, code = key
            counter = self._counters[key] = self._metrics.requests.labels(method, path, str(code))
        counter.inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if scope["path"] not in UNLOGGED:
            log.info(
                "request",
                method=method,
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 2),
                user_id=scope.get("state", {}).get("user_id"),
            )


def _with_more(headers: Iterable[tuple[bytes, bytes]], request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Add the id of the request, and forbid to store what does not say otherwise: answers to a user, errors."""
    more = [*headers, (REQUEST_ID, request_id), NO_SNIFFING]
    for name, _ in more:
        if name in STORABLE:
            return more
    return [*more, NO_STORE]


def route_of(scope: Scope) -> str:
    """Return the path of a request as a template: the path itself may hold anything that a visitor typed."""
    return str(scope.get("cached_route") or getattr(scope.get("route"), "path", UNMATCHED))


def _method(scope: Scope) -> str:
    """Return the method, or ``other``: clients may send any, and each would become a time series."""
    return scope["method"] if scope["method"] in METHODS else "other"


class BodyMiddleware:
    """Refuses bodies that are too large or break off; inside the exception handlers, which answer its errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        if _content_length(scope) > LARGEST_BODY:
            await JSONResponse({"detail": TOO_LARGE}, 413)(scope, receive, send)
            return
        size, ended = 0, False

        async def receive_bounded() -> Message:
            nonlocal size, ended
            message = await receive()
            if message["type"] == "http.disconnect" and not ended:
                raise HTTPException(CLIENT_CLOSED, "the client closed the connection before the body was complete")
            size += len(message.get("body", b""))
            ended = ended or not message.get("more_body", False)
            if size > LARGEST_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self._app(scope, receive_bounded, send)


def _content_length(scope: Scope) -> int:
    """Bytes of the body by its header, 0 without one."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), 0)


def _request_id(scope: Scope) -> bytes:
    """Return the id that a proxy set, if it is well-formed, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and VALID_ID.fullmatch(value):
            return bytes(value)
    return b"%032x" % random.getrandbits(128)


async def _send_internal_error(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(INTERNAL_ERROR)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": INTERNAL_ERROR})
