"""The account service alone: ``uvicorn --factory serving.user.main:create_app --port 8001``."""

from fastapi import FastAPI

from serving.app import build_app
from serving.user.routers import ROUTERS
from serving.web.settings import ServingSettings


def create_app(settings: ServingSettings | None = None) -> FastAPI:
    """Build the application; settings are read from the environment unless given."""
    return build_app("user", ROUTERS, [], settings=settings)
