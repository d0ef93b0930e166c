"""Ports of the servers that commands start."""

import socket
from errno import EADDRINUSE

from pipelines.cli.errors import fail


def require_free(host: str, port: int) -> None:
    """End the command with one line if ``host`` is not an address of this machine or ``port`` is taken."""
    try:
        with socket.create_server((host, port)):
            return
    except socket.gaierror as error:
        fail(f"--host {host}: {error.strerror}")
    except OSError as error:
        if error.errno == EADDRINUSE:
            fail(f"port {port} is taken: stop the other program, or choose another with --port")
        fail(f"--host {host} --port {port}: {error.strerror}")


def free_port(host: str) -> int:
    """Return a port of ``host`` that nothing listens on."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
