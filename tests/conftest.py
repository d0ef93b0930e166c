"""The servers that tests run on, and the data they may measure with.

A test that uses ``service``, ``warehouse`` or ``store`` runs twice: on the embedded default (PostgreSQL from a wheel
and a folder) and on servers (MariaDB, PostgreSQL, and S3 over HTTP with checked credentials). Databases are made and
dropped here. Without MariaDB or PostgreSQL the second run is skipped with a word on how to have it; in CI it fails.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import sqlalchemy
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import settings
from sqlalchemy import Engine, text

from artifacts.open import open_store
from artifacts.store import Store
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.service.base import ServiceBase
from sql.upgrade import upgrade
from tests.builders.databases import new_database

ROOT = Path(__file__).resolve().parent.parent
S3_KEY, S3_SECRET, S3_BUCKET = "ukok-test", "ukok-test-secret", "ukok"


# The examples are the same in every run, and a busy machine fails none of them.
settings.register_profile("tests", derandomize=True, deadline=None)
settings.load_profile("tests")

# For a test whose subject is not the databases, and which is too slow to run twice.
embedded_only = pytest.mark.parametrize("stack", ["embedded"], indirect=True)


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
    """Tests see neither the settings nor the data of the person who runs them."""
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
    """The embedded default, then the servers."""
    if request.param == "embedded":
        with embedded_folder() as var:
            urls = embedded.start(var)
            _hurry(urls["service"])
            yield _migrated(
                Stack(
                    "embedded", urls["service"], urls["warehouse"], str(var / "artifacts"), {"UKOK_VAR_DIR": str(var)}
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
            conn.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)} RESTART IDENTITY"))
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
        conn.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY"))
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
    """Whole environment of a child process that works on this test's databases and store."""
    return {**os.environ, **stack.env, "UKOK_ARTIFACTS_URL": artifacts_url, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data to measure with; tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set UKOK_SHARED_DATA to the folder that holds kok_products.jsonl")
    return folder


@contextmanager
def embedded_folder() -> Iterator[Path]:
    """A folder for an embedded server, which is stopped at the end.

    Not one of pytest's: the server may run as another user, whom the next start of pytest shuts out of its folders.
    """
    with tempfile.TemporaryDirectory(prefix="ukok-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        try:
            yield Path(folder)
        finally:
            embedded.stop(Path(folder))


def _hurry(url: str) -> None:
    """Let the server leave the disk alone: its tables are emptied for every test, and no test cuts the power."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        conn.execute(text("ALTER SYSTEM SET fsync = off"))
        conn.execute(text("SELECT pg_reload_conf()"))


def free_port() -> int:
    """A loopback port that nothing listens on, below those that the system gives to outgoing connections.

    Where one of those is taken, a connection of another test may get it before the server that it is meant for.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """A real S3 server on loopback that knows one key and one bucket; yields its URL.

    It listens on eight ports. Where another program took one of them first, it is started with eight others.
    """
    with contextlib.ExitStack() as running:
        for attempt in range(3):
            process, endpoint, log = running.enter_context(_weed(folder / str(attempt)))
            if _make_bucket(endpoint, process, log):
                break
        else:
            pytest.fail(f"the S3 test server found no free ports:\n{log.read_text()[-2000:]}")
        yield endpoint


@contextmanager
def _weed(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str, Path]]:
    """A server that starts; yields its process, its URL and its log."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert weed, "the S3 test server is missing from the virtual environment: run `make setup`"
    identity = {
        "name": "test",
        "credentials": [{"accessKey": S3_KEY, "secretKey": S3_SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    folder.mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer"]
    command += [
        f"-s3.config={folder / 's3.json'}",
        "-volume.max=20",
        "-volume.preStopSeconds=0",
        # Both listen on fixed ports by default, which two test runs at a time cannot share.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
    ]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield process, f"http://127.0.0.1:{ports['s3']}", folder / "server.log"
    finally:
        process.kill()  # its orderly stop takes 15 s, and nothing in it is kept
        process.wait()


def _make_bucket(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Wait for the server and make the bucket; False where the server found a port taken."""
    client = boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5, s3={"addressing_style": "path"}),
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket=S3_BUCKET)
            client.put_object(Bucket=S3_BUCKET, Key="ready", Body=b"1")
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"].startswith("BucketAlready"):
                client.put_object(Bucket=S3_BUCKET, Key="ready", Body=b"1")
                return True
            said = log.read_text() if process.poll() is not None else ""
            if "address already in use" in said:
                return False
            if said or time.monotonic() > deadline:
                pytest.fail(f"the S3 test server did not start: {error}\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        else:
            return True


def _migrated(stack: Stack) -> Stack:
    for engine, database in (
        (service_engine(stack.service_url), "service"),
        (warehouse_engine(stack.warehouse_url), "warehouse"),
    ):
        upgrade(engine, "service" if database == "service" else "warehouse")
        engine.dispose()
    return stack
