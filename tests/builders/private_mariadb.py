"""A MariaDB server of one test, which may stop it, make it read-only and bound its connections."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.builders.servers import free_port
from tests.builders.waiting import until

# A user without the privileges with which one writes to a read-only server.
USER, PASSWORD = "ukok", "a-password-of-tests"


@dataclass
class PrivateMariaDb:
    """The server of a folder; ``url`` is that of its database ``service`` for a user without special privileges."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """URL of the database."""
        return f"mysql+pymysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/service"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["mariadbd", *_options(self.folder), f"--port={self.port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={self.folder}/socket", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, "the private MariaDB", 60)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server in order, or as ``number`` does, and wait until it has ended."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def execute(self, *statements: str) -> None:
        """Execute statements as the administrator."""
        with self.administrator() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def administrator(self) -> "Iterator[pymysql.cursors.Cursor]":
        """Yield a cursor of the administrator, on a connection of its own."""
        connection = pymysql.connect(unix_socket=f"{self.folder}/socket", user="root", autocommit=True)
        with connection, connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def visitor(self) -> Iterator[int]:
        """Hold a connection of the user without special privileges; yield its id."""
        with pymysql.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD) as connection:
            yield int(connection.thread_id())  # type: ignore[no-untyped-call]

    def _answers(self) -> bool:
        assert self.process is None or self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"{self.folder}/socket")
            return True
        return False


@contextmanager
def private_mariadb() -> Iterator[PrivateMariaDb]:
    """Start a server with an empty database; stop and delete it at the end. Without the program, skip or fail in CI."""
    if shutil.which("mariadbd") is None:
        message = "no mariadbd: install MariaDB (apt-get install mariadb-server), so that these tests can break one"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with tempfile.TemporaryDirectory(prefix="ukok-mariadb-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        install = ["mariadb-install-db", *_options(folder), "--skip-test-db"]
        subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        server = PrivateMariaDb(folder, free_port())
        server.start()
        try:
            server.execute(
                "CREATE DATABASE service",
                f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
                f"GRANT ALL ON service.* TO {USER}@'127.0.0.1'",
            )
            yield server
        finally:
            server.stop(signal.SIGKILL)


def _options(folder: Path) -> list[str]:
    return ["--no-defaults", f"--datadir={folder}/data", *(["--user=root"] if os.geteuid() == 0 else [])]
