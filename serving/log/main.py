"""The event service alone: ``uvicorn --factory serving.log.main:create_app --port 8006``."""

from fastapi import FastAPI

from serving.app import build_app
from serving.log.router import router
from serving.runtime.runtime import Dependency
from serving.web.settings import ServingSettings


def create_app(settings: ServingSettings | None = None) -> FastAPI:
    """Build the application; settings are read from the environment unless given."""
    return build_app("log", [router], [Dependency.EVENTS], settings=settings)
