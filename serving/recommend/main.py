"""The recommendation service alone: ``uvicorn --factory serving.recommend.main:create_app --port 8005``."""

from fastapi import FastAPI

from serving.app import build_app
from serving.recommend.router import router
from serving.runtime.runtime import Dependency
from serving.web.settings import ServingSettings


def create_app(settings: ServingSettings | None = None) -> FastAPI:
    """Build the application; settings are read from the environment unless given."""
    return build_app("recommend", [router], [Dependency.CATALOG, Dependency.RELEASE], settings=settings)
