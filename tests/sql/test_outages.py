"""Connections that answer but cannot do their job leave the pool, and their errors are those of an outage."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psycopg2
import pymysql
import pytest
import sqlalchemy
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from sql.engines import driver_connection, service_engine, warehouse_engine
from sql.outages import BUSY, CONNECTIONS, FULL, READ_ONLY, STOPPING, Outage, outage_of
from tests.builders.databases import new_database
from tests.builders.private_mariadb import PrivateMariaDb, private_mariadb

READ_ONLY_DATABASE = "ALTER DATABASE {} SET default_transaction_read_only = {}"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with new_database("postgresql") as url:
        yield url


@pytest.fixture(scope="module")
def mariadb() -> Iterator[PrivateMariaDb]:
    with private_mariadb() as server:
        server.execute("CREATE TABLE service.thing (id INT)")
        yield server


def fill_pool(engine: Engine) -> None:
    """Let the pool keep several connections."""
    for conn in [engine.connect() for _ in range(3)]:
        conn.close()


def write(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("INSERT INTO thing VALUES (1)"))


def fails(engine: Engine) -> Outage | None:
    with pytest.raises(OperationalError) as caught:
        write(engine)
    return outage_of(caught.value)


def test_a_read_only_postgresql_connection_leaves_the_pool(postgres_url: str) -> None:
    admin = sqlalchemy.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    engine = warehouse_engine(postgres_url)
    with admin.connect() as conn:
        conn.execute(text("CREATE TABLE thing (id INT)"))
        conn.execute(text(READ_ONLY_DATABASE.format(engine.url.database, "on")))
        fill_pool(engine)
        assert fails(engine) is READ_ONLY
        fill_pool(engine)
        conn.execute(text(READ_ONLY_DATABASE.format(engine.url.database, "off")))
    assert fails(engine) is READ_ONLY, "these connections began before"
    for _ in range(4):
        write(engine)
    admin.dispose()
    engine.dispose()


def test_a_read_only_connection_of_the_driver_leaves_too(postgres_url: str) -> None:
    engine = warehouse_engine(postgres_url)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE thing (id INT)"))

    def copy() -> None:
        with driver_connection(engine) as connection:
            cursor = connection.cursor()
            cursor.execute("INSERT INTO thing VALUES (1)")
            connection.commit()

    fill_pool(engine)
    for _ in range(3):
        with engine.connect() as conn:
            conn.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            conn.commit()
    with pytest.raises(OperationalError, match="read-only") as caught:
        copy()
    assert outage_of(caught.value) is READ_ONLY
    for _ in range(4):
        copy()
    with pytest.raises(OperationalError), driver_connection(engine) as connection:
        connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
    copy()
    engine.dispose()


def test_a_driver_that_cannot_connect_shows_an_outage() -> None:
    engine = warehouse_engine("postgresql://someone@127.0.0.1:9/warehouse")
    with pytest.raises(OperationalError, match="refused"), driver_connection(engine):
        pass


def test_a_lost_postgresql_connection_is_an_outage(postgres_url: str) -> None:
    engine = warehouse_engine(postgres_url)
    with engine.connect() as conn, pytest.raises(OperationalError) as caught:
        conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert caught.value.connection_invalidated
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_no_connection_to_a_read_only_mariadb_is_kept(mariadb: PrivateMariaDb) -> None:
    engine = service_engine(mariadb.url)

    def ids() -> set[int]:
        held = [engine.connect() for _ in range(3)]
        found = {conn.scalar(text("SELECT CONNECTION_ID()")) for conn in held}
        for conn in held:
            conn.close()
        return found

    write(engine)
    before = ids()
    assert ids() == before
    mariadb.execute("SET GLOBAL read_only = 1")
    assert fails(engine) is READ_ONLY
    mariadb.execute("SET GLOBAL read_only = 0")
    assert not ids() & before, "the address may lead to another server by now"
    write(engine)
    engine.dispose()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_of_mariadb_is_survived(mariadb: PrivateMariaDb, number: signal.Signals) -> None:
    engine = service_engine(mariadb.url)
    fill_pool(engine)
    with engine.connect() as conn:
        conn.execute(text("INSERT INTO thing VALUES (1)"))
        mariadb.stop(number)
        with pytest.raises(OperationalError) as caught:
            conn.execute(text("INSERT INTO thing VALUES (1)"))
    assert outage_of(caught.value) is STOPPING
    assert fails(engine) is STOPPING
    mariadb.start()
    for _ in range(4):
        write(engine)
    engine.dispose()


def test_a_mariadb_without_free_connections_is_an_outage(mariadb: PrivateMariaDb) -> None:
    engine = sqlalchemy.create_engine(mariadb.url, poolclass=sqlalchemy.NullPool)
    with ExitStack() as held, mariadb.administrator() as administrator:
        administrator.execute("SET GLOBAL max_connections = 10")
        with suppress(OperationalError):
            while True:
                held.enter_context(engine.connect())
        assert fails(service_engine(mariadb.url)) is CONNECTIONS
        administrator.execute("SET GLOBAL max_connections = 151")
        write(engine)


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (pymysql.err.OperationalError(1836, "Running in read-only mode"), READ_ONLY),
        (pymysql.err.OperationalError(1114, "The table is full"), FULL),
        (pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"), BUSY),
        (pymysql.err.InternalError("Packet sequence number wrong - got 0 expected 1"), STOPPING),
        (psycopg2.OperationalError("FATAL:  sorry, too many clients already"), CONNECTIONS),
        (psycopg2.OperationalError("FATAL:  the database system is starting up"), STOPPING),
        (psycopg2.OperationalError("could not connect"), None),
        (pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax"), None),
        (ValueError(1290), None),
    ],
)
def test_errors_of_drivers_show_their_outage(error: Exception, outage: Outage | None) -> None:
    assert outage_of(error) is outage
