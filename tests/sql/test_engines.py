"""Engines: configuration, the embedded server, and errors of databases that cannot be used."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from sql import embedded
from sql.engines import LOCK_SECONDS, check, service_engine, warehouse_engine
from sql.errors import DatabaseUnavailable
from tests.builders.servers import embedded_folder
from tests.conftest import ROOT, Stack


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for an embedded server."""
    with embedded_folder() as var:
        yield var


def test_a_wrong_password_is_reported_in_one_line_without_it(mariadb_url: str) -> None:
    wrong = make_url(mariadb_url).set(username="nobody", password="s3cret-pw", database="x")
    with pytest.raises(DatabaseUnavailable, match="UKOK_SERVICE_DB_URL") as caught:
        check(service_engine(wrong.render_as_string(hide_password=False)), "service")
    assert "Access denied" in str(caught.value)
    assert "s3cret-pw" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_does_not_exist_is_named(stack: Stack) -> None:
    wrong = make_url(stack.service_url).set(database="no_such_database")
    with pytest.raises(DatabaseUnavailable, match="no_such_database"):
        check(service_engine(wrong.render_as_string(hide_password=False)), "service")


def test_an_unreachable_server_is_named() -> None:
    url = "postgresql://someone@127.0.0.1:9/warehouse?password=s3cret-pw"
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:9/.*UKOK_WAREHOUSE_DB_URL") as caught:
        check(warehouse_engine(url), "warehouse")
    assert "s3cret-pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("not a url s3cret-pw", "is not a database URL"),
        ("oracle9i://someone:s3cret-pw@host/x", "names the driver oracle9i"),
    ],
)
def test_an_invalid_url_is_refused_without_repeating_it(url: str, why: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=f"UKOK_SERVICE_DB_URL {why}") as caught:
        service_engine(url)
    assert "s3cret-pw" not in str(caught.value)


@pytest.mark.parametrize("stack", ["servers"], indirect=True)
def test_batch_steps_wait_longer_for_locked_rows(stack: Stack) -> None:
    def seconds(silence_seconds: int | None) -> int:
        engine = service_engine(stack.service_url, silence_seconds=silence_seconds)
        with engine.connect() as conn:
            found = conn.scalar(text("SELECT @@innodb_lock_wait_timeout"))
        engine.dispose()
        return int(found)

    assert seconds(None) == LOCK_SECONDS > seconds(9)


@pytest.mark.parametrize("stack", ["servers"], indirect=True)
def test_connections_time_out_only_with_silence_seconds(stack: Stack) -> None:
    def bounds(silence_seconds: int | None) -> tuple[int, ...]:
        engine = warehouse_engine(stack.warehouse_url, silence_seconds=silence_seconds)
        with closing(engine.raw_connection()) as conn, socket.socket(fileno=os.dup(conn.fileno())) as own:
            names = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            found = tuple(own.getsockopt(socket.IPPROTO_TCP, name) for name in names)
        engine.dispose()
        return found

    assert bounds(9) == (9_000, 3, 3, 2)
    assert bounds(None)[0] == 0


def test_the_embedded_server_outlives_its_client_and_is_reused(folder: Path) -> None:
    assert not embedded.status(folder).running
    starter = f"from pathlib import Path; from sql import embedded; embedded.start(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", starter], check=True, cwd=ROOT)
    first = embedded.status(folder)
    assert first.running
    with service_engine(embedded.start(folder)["service"]).connect() as conn:
        assert conn.scalar(text("SELECT 1")) == 1
    assert embedded.status(folder).pid == first.pid
    assert embedded.stop(folder)
    assert not embedded.stop(folder)
    assert not embedded.status(folder).running


def test_an_interrupted_first_start_is_repeated(folder: Path) -> None:
    starter = f"from pathlib import Path; from sql import embedded; embedded.start(Path({str(folder)!r}))"
    process = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (folder / "postgres" / "PG_VERSION").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "postgres.ready").exists()
    with service_engine(embedded.start(folder)["service"]).connect() as conn:
        assert conn.scalar(text("SELECT 1")) == 1
    embedded.stop(folder)


def test_an_error_of_a_query_names_the_database_and_its_setting(stack: Stack) -> None:
    engines = {"service": service_engine(stack.service_url), "warehouse": warehouse_engine(stack.warehouse_url)}
    for name, engine in engines.items():
        with engine.connect() as conn, pytest.raises(DBAPIError, match="no_such_table") as caught:
            conn.execute(text("SELECT * FROM no_such_table"))
        engine.dispose()
        assert f"{name} database, UKOK_{name.upper()}_DB_URL, " in str(caught.value)
        assert not engine.url.password or engine.url.password not in str(caught.value)
