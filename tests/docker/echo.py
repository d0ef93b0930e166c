"""An application that tells what reached it: ``uvicorn tests.docker.echo:app``; NAME says who it is."""

import os

from fastapi import FastAPI, Request

app = FastAPI(openapi_url=None)
METHODS = ["GET", "POST", "PUT", "DELETE"]


@app.api_route("/{path:path}", methods=METHODS)
async def echo(request: Request) -> dict[str, object]:
    await request.body()
    return {
        "name": os.environ["NAME"],
        "path": request.scope["raw_path"].decode(),
        "client": request.client.host if request.client else None,
        "headers": dict(request.headers),
    }
