"""An application that answers with what it received: ``uvicorn --factory tests.docker.echo:create_app``."""

import os

from fastapi import FastAPI, Request

METHODS = ["GET", "POST", "PUT", "DELETE"]


def create_app() -> FastAPI:
    """Build the application; the environment variable NAME names it in its answers."""
    app = FastAPI(openapi_url=None)
    app.add_api_route("/{path:path}", echo, methods=METHODS)
    return app


async def echo(request: Request) -> dict[str, object]:
    """Answer with path, client address and headers."""
    await request.body()
    return {
        "name": os.environ["NAME"],
        "path": request.scope["raw_path"].decode(),
        "client": request.client.host if request.client else None,
        "headers": dict(request.headers),
    }
