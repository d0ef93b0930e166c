"""Start spider processes by a fork of one that has imported Scrapy already, which saves a second for each crawl.

The crawl is what is shipped: the runner starts ``sys.executable -m crawlers.scrapy_process.main`` and talks to it. Only
``sys.executable`` is a small client here. It hands its standard streams and environment to the server, which forks; the
child runs :func:`crawlers.scrapy_process.main.main`.
"""

import array
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import ROOT

CLIENT = """#!{python} -IS
import array, json, os, socket, sys
if sys.argv[1:] != ["-m", "crawlers.scrapy_process.main"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
server.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(json.dumps(dict(os.environ)).encode())
server.shutdown(socket.SHUT_WR)
code = server.recv(1)
sys.exit(code[0] if code else 1)
"""


@contextmanager
def preloaded_spiders() -> Iterator[None]:
    """Fork spider processes from a loaded one meanwhile."""
    with TemporaryDirectory(prefix="ukok-spiders-") as folder:
        address, client = f"{folder}/socket", Path(folder) / "python"
        client.write_text(CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o700)
        python = sys.executable
        command = [python, "-m", "tests.builders.preloaded_spiders", address]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()
                sys.executable = str(client)
                yield
            finally:
                sys.executable = python
                server.kill()


def serve(address: str) -> None:
    """Fork a spider process for each connection, until standard input ends."""
    from scrapy.settings import Settings
    from scrapy.spiderloader import SpiderLoader

    from crawlers.registry import sources
    from crawlers.scrapy_process.main import main

    SpiderLoader(Settings({"SPIDER_MODULES": ["crawlers.spiders"]})).list()
    sources()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)  # noqa: T201
        while select.select([listener, sys.stdin], [], [])[0] == [listener]:
            connection, _ = listener.accept()
            _reap()
            if os.fork() == 0:
                listener.close()
                os.setsid()  # as the runner starts it
                _take_over(connection)
                _run(main)
                connection.sendall(bytes([os.waitstatus_to_exitcode(os.wait()[1]) & 255]))
                os._exit(0)
            connection.close()


def _run(main: Callable[[], None]) -> None:
    """Run ``main`` in a child, whose parent goes on at once.

    The child has ended when the client is told so, as a spider process has when the runner's wait is over: one that
    still lived would see its input close and remove the folder of the crawl.
    """
    if os.fork():
        return
    code = 1
    try:
        main()
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap() -> None:
    """Take note of children that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _take_over(connection: socket.socket) -> None:
    """Replace standard streams and environment by those of the client."""
    streams = array.array("i")
    _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(3 * streams.itemsize))
    streams.frombytes(ancillary[0][2])
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    environment = bytearray()
    while part := connection.recv(65_536):
        environment += part
    os.environ.clear()
    os.environ.update(json.loads(environment))


if __name__ == "__main__":
    serve(sys.argv[1])
