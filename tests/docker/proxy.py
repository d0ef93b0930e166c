"""A real nginx with the shipped configuration, of which only addresses and ports are replaced."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.builders.servers import free_port
from tests.conftest import ROOT

START_SECONDS = 30.0
# Where Debian compiles in folders of root's, nginx would not start for anybody else.
FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Proxy:
    """A running nginx."""

    url: str
    log: Path


def nginx_program() -> str:
    """The program; without one the test is skipped, in CI it fails."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        message = "no nginx: `apt-get install nginx-light`; `make test` then tries its configuration on it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return program


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


@contextmanager
def proxied(mode: str, servers: Mapping[str, Sequence[int]], **limits: str) -> Iterator[Proxy]:
    """Run nginx before ``servers``: the ports on loopback that stand for each ``host:port`` of the upstreams.

    ``limits`` are values of directives that a test would have to wait for.
    """
    program, port = nginx_program(), free_port()
    # Not one of pytest's folders: workers of nginx are another user, whom those shut out.
    with tempfile.TemporaryDirectory(prefix="ukok-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _configure(folder, mode, port, servers, limits)
        log = folder / "log"
        command = [program, "-c", str(folder / "nginx.conf"), "-g", f"daemon off; pid {folder}/pid;"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            _wait(process, f"http://127.0.0.1:{port}", log)
            yield Proxy(f"http://127.0.0.1:{port}", log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def _configure(
    folder: Path, mode: str, port: int, servers: Mapping[str, Sequence[int]], limits: Mapping[str, str]
) -> None:
    shipped = (ROOT / "docker" / "nginx.conf").read_text()
    for name, value in limits.items():
        shipped, found = re.subn(rf"\b({name}[ =])[\w/]+", rf"\g<1>{value}", shipped)
        assert found, name
    (folder / "nginx.conf").write_text(shipped.replace("listen 80;", f"listen 127.0.0.1:{port};"))
    upstreams = (ROOT / "docker" / f"upstreams.{mode}.conf").read_text()
    assert set(re.findall(r"server ([a-z-]+:\d+);", upstreams)) == servers.keys()
    for address, ports in servers.items():
        lines = " ".join(f"server 127.0.0.1:{port};" for port in ports)
        upstreams = upstreams.replace(f"server {address};", lines)
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in FOLDERS)
    (folder / "upstreams.conf").write_text(upstreams + own)


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with suppress(httpx.TransportError):
            httpx.get(url)
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
