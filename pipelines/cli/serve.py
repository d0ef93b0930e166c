"""`ukok serve`: the API."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from pipelines.cli.console import out
from pipelines.cli.options import Port
from pipelines.cli.signals import block_stop_signals, unblock_stop_signals

HOST = "127.0.0.1"
# A request that is never sent to its end must not keep the API from stopping.
STOP_SECONDS = 8


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Port = 8000,
    database_too: Annotated[bool, typer.Option("--stop-database", hidden=True)] = False,
) -> None:
    """Serve the API (the gateway with all six services) until Ctrl-C; /docs describes its routes."""
    out.print(f"API   http://{host}:{port}\ndocs  http://{host}:{port}/docs")
    # Small searches are answered by one thread each; a pool inside every one of them halves the speed.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if database_too:
        # uvicorn raises the signal again once it has stopped, which would end the process before the database.
        signal.signal(signal.SIGTERM, _exit)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, _terminate)
    try:
        unblock_stop_signals()
        import uvicorn

        uvicorn.run(
            "serving.gateway.main:create_app",
            factory=True,
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    finally:
        if database_too:
            stop_database()


def replace_by_server(port: int, *, database_too: bool) -> NoReturn:
    """Replace this process by `ukok serve`, which inherits its terminal and process id, but nothing of its memory.

    ``database_too`` stops the embedded PostgreSQL after the API.
    """
    sys.stdout.flush()
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)]
    os.execv(sys.executable, [*command, *(["--stop-database"] if database_too else [])])  # noqa: S606 (our own)


def _exit(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _terminate(_: int, __: FrameType | None) -> None:
    """Stop as on SIGTERM, which uvicorn handles."""
    os.kill(os.getpid(), signal.SIGTERM)


def stop_database() -> None:
    """Stop the embedded PostgreSQL if it is running. A second Ctrl-C waits meanwhile."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    block_stop_signals()
    try:
        if embedded.stop(DatabaseSettings().var_dir):
            out.print("stopped the embedded PostgreSQL")
    finally:
        unblock_stop_signals()
