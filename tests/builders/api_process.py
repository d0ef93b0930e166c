"""Run a service in another process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.builders.servers import free_port
from tests.conftest import ROOT

START_SECONDS = 60.0
PROTOCOL = "serving.web.http_protocol:BoundedHttpProtocol"


@dataclass(frozen=True)
class Server:
    """A running uvicorn."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def kill(self) -> None:
        """Kill the process, without a shutdown."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(120)


def command(module: str, port: int, protocol: str = PROTOCOL) -> list[str]:
    """Command that runs the application of ``module`` on ``port``."""
    run = [sys.executable, "-m", "uvicorn", "--factory", f"{module}:create_app"]
    return [*run, "--port", str(port), "--http", protocol]


@contextmanager
def served(
    module: str,
    env: Mapping[str, str],
    log: Path,
    protocol: str = PROTOCOL,
    seconds: float = START_SECONDS,
) -> Iterator[Server]:
    """Run ``module`` until the block ends; yields once it answers, which may take so many seconds."""
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(command(module, port, protocol), stdout=out, stderr=out, env=dict(env), cwd=ROOT)
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait(server, seconds)
        yield server
    finally:
        process.terminate()
        process.wait(120)


def _wait(server: Server, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(f"{server.url}/healthz")
            return
        except httpx.TransportError:
            assert server.process.poll() is None, server.log.read_text()
            assert time.monotonic() < deadline, server.log.read_text()
            time.sleep(0.05)
