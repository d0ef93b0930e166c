"""`ukok serve`: the API."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from pipelines.cli.console import out
from pipelines.cli.options import Port

HOST = "127.0.0.1"
# A request that is never sent to its end must not keep the API from stopping.
STOP_SECONDS = 8


def serve(host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST, port: Port = 8000) -> None:
    """Serve the API (the gateway with all six services) until Ctrl-C; /docs describes its routes."""
    import uvicorn

    out.print(f"API   http://{host}:{port}\ndocs  http://{host}:{port}/docs")
    # Small searches are answered by one thread each; a pool inside every one of them halves the speed.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    uvicorn.run(
        "serving.gateway.main:app", host=host, port=port, log_level="warning", timeout_graceful_shutdown=STOP_SECONDS
    )


def replace_by_server(port: int) -> NoReturn:
    """Replace this process by `ukok serve`, which inherits its terminal and process id, but nothing of its memory."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 (nothing in the command comes from outside)
