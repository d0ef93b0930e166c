"""All six services in one process: ``uvicorn --factory serving.gateway.main:create_app --port 8000``."""

from fastapi import FastAPI

from serving.app import build_app
from serving.home_shopping.router import router as home_shopping
from serving.kok.router import router as kok
from serving.log.router import router as log
from serving.recipe.router import router as recipe
from serving.recommend.router import router as recommend
from serving.runtime.event_writer import WriterLimits
from serving.runtime.runtime import Dependency
from serving.user.routers import ROUTERS as USER
from serving.web.clock import Clock, wall_clock
from serving.web.settings import ServingSettings

ROUTERS = (home_shopping, kok, recipe, recommend, log, *USER)


def create_app(
    settings: ServingSettings | None = None, clock: Clock = wall_clock, writer_limits: WriterLimits = WriterLimits()
) -> FastAPI:
    """Build the application; settings are read from the environment unless given."""
    return build_app("gateway", ROUTERS, Dependency, settings=settings, clock=clock, writer_limits=writer_limits)
