"""What surrounds every request: its id, its line in the log, its figures, a bound on its body."""

import random
import re
import time

import structlog
from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.web.metrics import Metrics

log = structlog.get_logger()

# A batch of a thousand events of two kilobytes.
LARGEST_BODY = 2 * 2**20
TOO_LARGE = "the body is larger than 2 MB"
# The word of nginx for it: nobody is there to be answered.
HUNG_UP = 499
GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = b"x-request-id"
BODILESS = {"GET", "HEAD", "OPTIONS"}
METHODS = BODILESS | {"POST", "PUT", "PATCH", "DELETE"}
# Probes and scrapes come every few seconds and say nothing about users.
UNLOGGED = {"/healthz", "/readyz", "/metrics"}
INTERNAL_ERROR = b'{"detail":"internal error"}'


class RequestMiddleware:
    """Outermost layer of the application; plain ASGI, because it is paid for by every request."""

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
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID, request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if status:
                raise
            await _send_internal_error(send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route: str = str(scope.get("cached_route") or getattr(scope.get("route"), "path", "unmatched"))
        # Anybody can make up methods and paths; each would be a series of its own for ever.
        method = scope["method"] if scope["method"] in METHODS else "other"
        key = (method if route != "unmatched" else "any", route, status)
        counter = self._counters.get(key)
        if counter is None:
            method, path, code = key
            counter = self._counters[key] = self._metrics.requests.labels(method, path, str(code))
        counter.inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if scope["path"] not in UNLOGGED:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 2),
                user_id=scope.get("state", {}).get("user_id"),
            )


class BodyMiddleware:
    """Ends a request whose body is too large or never comes to its end; inside the routes' handling of errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        if _announced(scope) > LARGEST_BODY:
            await JSONResponse({"detail": TOO_LARGE}, 413)(scope, receive, send)
            return
        size, ended = 0, False

        async def receive_within_bounds() -> Message:
            nonlocal size, ended
            message = await receive()
            if message["type"] == "http.disconnect" and not ended:
                raise HTTPException(HUNG_UP, "the client hung up before the end of the body")
            size += len(message.get("body", b""))
            ended = ended or not message.get("more_body", False)
            if size > LARGEST_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self._app(scope, receive_within_bounds, send)


class OriginMiddleware:
    """Lets pages of the origins in the settings call the API; those of its own origin need no leave."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"]):
            # The settings are read when the application starts, after its layers were made.
            app = CORSMiddleware(
                self._app,
                allow_origins=scope["app"].state.runtime.settings.cors_origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "If-None-Match"],
                expose_headers=["ETag", "Retry-After", "X-Request-ID"],
            )
        await app(scope, receive, send)


def _announced(scope: Scope) -> int:
    """Bytes of the body by its header, 0 where it does not say."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), 0)


def _request_id(scope: Scope) -> bytes:
    """The id that a proxy gave, if it is a harmless word, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and GIVEN_ID.fullmatch(value):
            return bytes(value)
    return b"%032x" % random.getrandbits(128)


async def _send_internal_error(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(INTERNAL_ERROR)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": INTERNAL_ERROR})
