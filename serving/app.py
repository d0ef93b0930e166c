"""Application factory, of one service or of all."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.runtime import health
from serving.runtime.deps import Visitor
from serving.runtime.event_writer import WriterLimits
from serving.runtime.response_cache import ResponseCache
from serving.runtime.runtime import Dependency, Runtime
from serving.web import errors, logging, openapi, visitor_session
from serving.web.clock import Clock, wall_clock
from serving.web.errors import StartupError, log_reason
from serving.web.head import HeadMiddleware
from serving.web.metrics import Metrics
from serving.web.middleware import BodyMiddleware, RequestMiddleware
from serving.web.settings import ServingSettings, read_settings
from ukok import __version__

log = structlog.get_logger()

DESCRIPTION = "Grocery and recipe recommendations for the mall U+콕 and TV home shopping."
# Exit status of uvicorn for an application that did not start.
STARTUP_FAILURE = 3


def build_app(
    service: str,
    routers: Iterable[APIRouter],
    dependencies: Iterable[Dependency],
    *,
    settings: ServingSettings | None = None,
    clock: Clock = wall_clock,
    writer_limits: WriterLimits = WriterLimits(),
) -> FastAPI:
    """Build the application ``service`` of ``routers``; ``dependencies`` are what these need in addition to accounts.

    Without ``settings`` they are read from the environment; invalid ones end the process with one log line.
    """
    # Here for the log lines of a failed start, and again in the lifespan: uvicorn configures its own logs in between.
    logging.configure()
    settings = settings or _read_settings_or_exit()
    metrics = Metrics()
    # Opened when the application starts, not when it is built.
    open_runtime = partial(Runtime, settings, clock, metrics, frozenset(dependencies), writer_limits)
    # The pages under /docs load nothing from other servers.
    app = FastAPIOffline(
        static_url="/docs/assets",
        redoc_url=None,
        title=f"ukok {service}",
        description=DESCRIPTION,
        version=__version__,
        lifespan=partial(_lifespan, open_runtime),
    )
    # As they are: `include_router` would build each route once more.
    for router in (*routers, health.router):
        app.router.routes.extend(router.routes)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    errors.install(app)
    openapi.complete(app, optional_login=Visitor)
    _add_middleware(app, settings, metrics)
    return app


@asynccontextmanager
async def _lifespan(open_runtime: Callable[[], Runtime], app: FastAPI) -> AsyncIterator[None]:
    logging.configure()
    runtime = await run_in_threadpool(open_runtime)
    app.state.runtime = runtime
    await run_in_threadpool(runtime.start)
    yield
    await run_in_threadpool(runtime.stop)


def _add_middleware(app: FastAPI, settings: ServingSettings, metrics: Metrics) -> None:
    """Add the middleware, the innermost first."""
    app.add_middleware(BodyMiddleware)
    app.add_middleware(ResponseCache)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", visitor_session.HEADER],
        expose_headers=["ETag", "Retry-After", "X-Impression-ID", "X-Request-ID"],
    )
    app.add_middleware(RequestMiddleware, metrics=metrics)
    app.add_middleware(StartupMiddleware)


class StartupMiddleware:
    """Report a failed start as one log line and exit, without a traceback.

    Without this, uvicorn treats an exception in the lifespan as "lifespan not supported" and keeps serving.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_without_traceback(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "lifespan.startup.complete"
            if message["type"] != "lifespan.startup.failed":
                await send(message)

        try:
            await self._app(scope, receive, send_without_traceback)
        except Exception as error:
            if started:
                raise
            reason = str(error) if isinstance(error, StartupError) else f"{type(error).__name__}: {log_reason(error)}"
            await send({"type": "lifespan.startup.failed", "message": f"ukok cannot start: {reason}"})


def _read_settings_or_exit() -> ServingSettings:
    try:
        return read_settings()
    except StartupError as error:
        log.critical("ukok cannot start: %s", error)
        raise SystemExit(STARTUP_FAILURE) from None
