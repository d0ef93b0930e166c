"""Databases and stores that tests run on, and the data they may measure with.

A test that uses ``service``, ``warehouse`` or ``store`` runs twice: on the embedded default (PostgreSQL from a wheel
and a folder) and on servers (MariaDB, PostgreSQL, and S3 over HTTP with credentials). Databases are created and dropped
here. Without MariaDB or PostgreSQL the second run is skipped with a hint; in CI it fails.
"""

import os
import secrets
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import settings
from sqlalchemy import Connection, Engine, text

from artifacts.open import open_store
from artifacts.store import Store
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.service.base import ServiceBase
from sql.upgrade import upgrade
from tests.builders.databases import new_database
from tests.builders.servers import S3_BUCKET, S3_KEY, S3_SECRET, embedded_folder, s3_server

ROOT = Path(__file__).resolve().parent.parent
# Signs tokens: with a database server the API refuses the key that it has by default.
SECRET_KEY = "a secret key that only the tests have"


# The same examples in every run, without deadlines, which a busy machine would miss.
settings.register_profile("tests", derandomize=True, deadline=None)
settings.load_profile("tests")

# For slow tests that are not about the databases.
embedded_only = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
# For slow tests in which MariaDB, PostgreSQL and S3 each have a part.
servers_only = pytest.mark.parametrize("stack", ["servers"], indirect=True)


# Begun first, so that no process is left with one of them at the end while the others have nothing to do.
LONGEST = ("tests/dags/test_airflow.py", "tests/e2e/", "tests/month/", "tests/serving/test_fuzz.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the longest tests to the front."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@dataclass(frozen=True)
class Stack:
    """Two databases and an artifact store; ``env`` configures them for a child process."""

    name: str
    service_url: str
    warehouse_url: str
    artifacts_url: str
    env: dict[str, str]


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the settings and data of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("UKOK_")}
    for name in kept:
        if not name.startswith(("UKOK_TEST_", "UKOK_SHARED_DATA")):
            del os.environ[name]
    os.environ["UKOK_VAR_DIR"] = str(tmp_path_factory.mktemp("var"))
    os.environ |= {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_REGION": "us-east-1"}
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    yield
    os.environ |= kept


@pytest.fixture(scope="session", params=["embedded", "servers"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run tests on the embedded default, then on servers."""
    if request.param == "embedded":
        with embedded_folder() as var:
            urls = embedded.start(var)
            _switch_fsync_off(urls["service"])
            yield _migrated(
                Stack(
                    "embedded",
                    urls["service"],
                    urls["warehouse"],
                    str(var / "artifacts"),
                    {"UKOK_VAR_DIR": str(var), "UKOK_SECRET_KEY": SECRET_KEY},
                )
            )
        return
    with (
        new_database("mariadb") as service_url,
        new_database("postgresql") as warehouse_url,
        s3_server(tmp_path_factory.mktemp("s3")) as endpoint,
    ):
        var = tmp_path_factory.mktemp("servers")
        os.environ["UKOK_S3_ENDPOINT_URL"] = endpoint
        env = {
            "UKOK_VAR_DIR": str(var),
            "UKOK_SERVICE_DB_URL": service_url,
            "UKOK_WAREHOUSE_DB_URL": warehouse_url,
            "UKOK_S3_ENDPOINT_URL": endpoint,
            "UKOK_SECRET_KEY": SECRET_KEY,
        }
        yield _migrated(Stack("servers", service_url, warehouse_url, f"s3://{S3_BUCKET}", env))
        del os.environ["UKOK_S3_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """An empty database on the MariaDB server."""
    with new_database("mariadb") as url:
        yield url


@pytest.fixture
def service(stack: Stack) -> Iterator[Engine]:
    """The service database at the newest schema, empty but for the channels."""
    engine = service_engine(stack.service_url)
    tables = [table for table in ServiceBase.metadata.sorted_tables if table.name != "channel"]
    with engine.begin() as conn:
        if engine.dialect.name == "postgresql":
            _truncate(conn, [table.name for table in tables])
        else:
            for table in tables:
                conn.execute(table.delete())
    yield engine
    engine.dispose()


@pytest.fixture
def warehouse(stack: Stack) -> Iterator[Engine]:
    """The warehouse at the newest schema, empty."""
    engine = warehouse_engine(stack.warehouse_url)
    with engine.begin() as conn:
        partitions = conn.scalars(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'fct_user_event'::regclass")
        ).all()
        for partition in partitions:
            conn.execute(text(f"DROP TABLE {partition}"))
        names = conn.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        ).all()
        _truncate(conn, names)
    yield engine
    engine.dispose()


@pytest.fixture
def artifacts_url(stack: Stack) -> str:
    """URL of an empty artifact store of this test."""
    return f"{stack.artifacts_url}/{secrets.token_hex(6)}"


@pytest.fixture
def store(artifacts_url: str) -> Store:
    """An empty artifact store of this test."""
    return open_store(artifacts_url)


@pytest.fixture
def stack_env(stack: Stack, service: Engine, warehouse: Engine, artifacts_url: str) -> dict[str, str]:
    """Environment of a child process that uses this test's databases and store."""
    return {**os.environ, **stack.env, "UKOK_ARTIFACTS_URL": artifacts_url, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data to measure with; tests that need it are skipped without it."""
    folder = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set UKOK_SHARED_DATA to the folder that holds kok_products.jsonl")
    return folder


def _truncate(conn: Connection, tables: Sequence[str]) -> None:
    """Empty those tables of PostgreSQL that have rows: each costs several waits for the disk."""
    rows = (f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables)  # noqa: S608 - names from the schema
    held = conn.scalars(text(" UNION ALL ".join(rows))).all()
    if held:
        conn.execute(text(f"TRUNCATE {', '.join(held)} RESTART IDENTITY CASCADE"))


def _switch_fsync_off(url: str) -> None:
    """Switch fsync off, which makes tests faster; no test cuts the power."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        conn.execute(text("ALTER SYSTEM SET fsync = off"))
        conn.execute(text("SELECT pg_reload_conf()"))


def _migrated(stack: Stack) -> Stack:
    for engine, database in (
        (service_engine(stack.service_url), "service"),
        (warehouse_engine(stack.warehouse_url), "warehouse"),
    ):
        upgrade(engine, "service" if database == "service" else "warehouse")
        engine.dispose()
    return stack


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Let this test and its child processes be stopped by signals that a background run ignores."""
    defaults: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    previous = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)
