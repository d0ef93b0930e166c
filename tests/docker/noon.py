"""The gateway on the small catalog's own day: ``uvicorn --factory tests.docker.noon:create_app``."""

from fastapi import FastAPI

from serving.gateway import main
from tests.builders.small_catalog import NOON


def create_app() -> FastAPI:
    """Build the gateway with a clock that stands at noon."""
    return main.create_app(clock=lambda: NOON)
