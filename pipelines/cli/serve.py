"""`ukok serve`: the API."""

import os
import signal
import socket
import sys
import tempfile
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.cli.console import out
from pipelines.cli.options import Port
from pipelines.cli.ports import require_free
from pipelines.cli.signals import block_stop_signals, unblock_stop_signals

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
# A request that is never sent to its end must not keep the API from stopping.
STOP_SECONDS = 8


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Port = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer, each with its own memory of the catalog.")
    ] = 1,
    database_too: Annotated[bool, typer.Option("--stop-database", hidden=True)] = False,
) -> None:
    """Serve the API (the gateway with all six services) until Ctrl-C; /docs describes its routes."""
    # Small searches are answered by one thread each; a pool inside every one of them halves the speed.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if database_too:
        # uvicorn raises the signal again once it has stopped, which would end the process before the database.
        signal.signal(signal.SIGTERM, _exit)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, _terminate)
    try:
        unblock_stop_signals()
        require_free(host, port)
        if workers == 1:
            _serve(host, port)
        else:
            _serve_by_workers(host, port, workers)
    finally:
        if database_too:
            stop_database()


def _serve(host: str, port: int) -> None:
    """Serve until a signal; exit code 1 if the application has logged that it cannot start."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Print the addresses once they are served."""
            await super().startup(sockets)
            if self.started:
                _announce(host, port)

    server = Server(_config(host, port, 1))
    try:
        server.run()
    except KeyboardInterrupt:
        pass  # uvicorn raises it again after an orderly stop
    except SystemExit:
        if server.started:
            raise
    if not server.started:
        raise typer.Exit(1)


def _serve_by_workers(host: str, port: int, workers: int) -> None:
    """Serve by several processes, which share their metrics in a folder; exit code 1 if none has started."""
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        announced = False

        def keep_subprocess_alive(self) -> None:
            """Print the addresses once all workers serve them."""
            super().keep_subprocess_alive()
            if not self.announced and all(process.is_ready(1) for process in self.processes):
                self.announced = True
                _announce(host, port)

    with tempfile.TemporaryDirectory(prefix="ukok-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        config = _config(host, port, workers)
        supervisor = Workers(config, [config.bind_socket()])
        supervisor.run()
    if not supervisor.announced:
        raise typer.Exit(1)


def _config(host: str, port: int, workers: int) -> "uvicorn.Config":
    import uvicorn

    return uvicorn.Config(
        "serving.gateway.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="serving.web.http_protocol:BoundedHttpProtocol",
        log_level="warning",
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _announce(host: str, port: int) -> None:
    out.print(f"API   http://{host}:{port}\ndocs  http://{host}:{port}/docs")


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
