"""One way to make an application, of one service or of all."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.runtime import health
from serving.runtime.deps import Visitor
from serving.runtime.response_cache import ResponseCache
from serving.runtime.runtime import Part, Runtime
from serving.web import errors, logging, openapi
from serving.web.clock import Clock, wall_clock
from serving.web.errors import AWAY, StartupError, log_reason
from serving.web.metrics import Metrics
from serving.web.middleware import BodyMiddleware, OriginMiddleware, RequestMiddleware
from serving.web.settings import read_settings
from ukok import __version__

log = structlog.get_logger()

DESCRIPTION = "Grocery and recipe recommendations for the mall U+콕 and TV home shopping."


def create_app(
    service: str, routers: Iterable[APIRouter], parts: Iterable[Part], *, clock: Clock = wall_clock
) -> FastAPI:
    """Make the application ``service`` of ``routers``; ``parts`` is what these need besides accounts.

    Settings are read when it starts, not when it is imported.
    """
    # Here for what a server says before it starts, and below once more: some set up logs of their own in between.
    logging.configure()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logging.configure()
        settings = read_settings()
        runtime = await run_in_threadpool(Runtime, settings, clock, metrics, frozenset(parts))
        app.state.runtime = runtime
        await run_in_threadpool(runtime.start)
        yield
        await run_in_threadpool(runtime.stop)

    # The pages under /docs take nothing from other servers.
    app = FastAPIOffline(
        static_url="/docs/assets",
        redoc_url=None,
        title=f"ukok {service}",
        description=DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        responses=AWAY,
    )
    for router in routers:
        app.include_router(router)
    app.include_router(health.router)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    errors.install(app)
    openapi.complete(app, optional_login=Visitor)
    app.add_middleware(BodyMiddleware)
    app.add_middleware(ResponseCache)
    app.add_middleware(OriginMiddleware)
    app.add_middleware(RequestMiddleware, metrics=metrics)
    app.add_middleware(StartupMiddleware)
    return app


class StartupMiddleware:
    """Says in one line why the application cannot start, instead of a traceback.

    Whatever the reason is: a server takes an exception for an application that has no start, and serves it.
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
