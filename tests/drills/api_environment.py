"""The API on servers of its own, which drills stop, fail over and fill up."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from artifacts.open import open_store
from artifacts.store import Store
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.upgrade import upgrade
from tests.builders import tiny_release
from tests.builders.api_process import Server, served
from tests.builders.command_line import silence_logs
from tests.builders.private_mariadb import PrivateMariaDb, private_mariadb
from tests.builders.servers import S3_BUCKET, S3_KEY, S3_SECRET, embedded_folder, s3_server
from tests.builders.small_catalog import fill
from tests.builders.tcp_proxy import TcpProxy, tcp_proxy
from tests.conftest import ROOT
from tests.drills.visitors import Visitors, visiting

BEFORE, AWAY, AFTER = 4, 8, 12  # seconds of a drill
DISK_MEGABYTES = 8
START_SECONDS = 240  # on a busy machine
PASSWORD = "a right password"


@dataclass
class ApiEnvironment:
    """What a drill works with: servers of its own, and how to start the API on them."""

    mariadb: PrivateMariaDb
    postgres: Path
    warehouse_url: str
    s3: TcpProxy
    store: Store
    versions: list[str]
    env: dict[str, str]
    folder: Path
    running: ExitStack
    _gateway: Server | None = None

    @contextmanager
    def serving(self, module: str = "serving.gateway.main", **env: str) -> Iterator[Server]:
        """Run the API, ready to answer."""
        log = self.folder / f"{module}-{datetime.now(UTC):%H%M%S%f}.log"
        with served(module, self.env | env, log, seconds=START_SECONDS) as server:
            yield server

    @property
    def gateway(self) -> Server:
        """The gateway that goes through all outages without a restart; started when it is first used."""
        if self._gateway is None:
            self._gateway = self.running.enter_context(self.serving())
        return self._gateway

    @contextmanager
    def visited(self, url: Callable[[], str] | str) -> Iterator[Visitors]:
        """Let visitors use the API at a URL until the block ends; one of them has an account."""
        given = url if callable(url) else lambda: url
        with visiting(given, {"Authorization": f"Bearer {log_in(given())}"}) as visitors:
            yield visitors

    def lost(self, visitors: Visitors) -> int:
        """Events that were acknowledged and are not stored."""
        engine = warehouse_engine(self.warehouse_url)
        with engine.connect() as conn:
            stored = set(conn.scalars(text("SELECT event_id::text FROM user_event")))
        engine.dispose()
        return len(visitors.stored - stored)

    @contextmanager
    def small_disk(self, folder: Path) -> Iterator[None]:
        """Mount a small file system in memory on a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)]
        subprocess.run(mount, check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def log_in(url: str) -> str:
    """Create an account, log in and return the access token."""
    account = {"email": f"d{datetime.now(UTC):%H%M%S%f}@example.com", "password": PASSWORD, "username": "손님"}
    with httpx.Client(base_url=url, timeout=30) as client:
        client.post("/api/user/signup", json=account).raise_for_status()
        return str(client.post("/api/user/login", json=account).raise_for_status().json()["access_token"])


@contextmanager
def api_environment() -> Iterator[ApiEnvironment]:
    """Start the servers, with the small catalog and three releases, of which the first is live."""
    silence_logs()
    os.environ |= {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="ukok-drills-", ignore_cleanup_errors=True))
        )
        mariadb = stack.enter_context(private_mariadb())
        var = stack.enter_context(embedded_folder())
        warehouse_url = embedded.start(var)["warehouse"]
        endpoint = urlsplit(stack.enter_context(s3_server(folder)))
        s3 = stack.enter_context(tcp_proxy("127.0.0.1", endpoint.port or 0))
        settings = {
            "UKOK_VAR_DIR": str(folder / "var"),
            "UKOK_SERVICE_DB_URL": mariadb.url,
            "UKOK_WAREHOUSE_DB_URL": warehouse_url,
            "UKOK_ARTIFACTS_URL": f"s3://{S3_BUCKET}/drills",
            "UKOK_S3_ENDPOINT_URL": f"http://127.0.0.1:{s3.port}",
            "OMP_NUM_THREADS": "1",
        }
        os.environ |= settings
        service, warehouse = service_engine(), warehouse_engine()
        upgrade(service, "service")
        upgrade(warehouse, "warehouse")
        fill(service)
        store = open_store()
        now = datetime.now(UTC)
        first = tiny_release.build(service, warehouse, store, now)
        versions = [first, *(f"{now + timedelta(minutes=n):%Y%m%dT%H%M%S000000Z}-{n}a" for n in (1, 2))]
        for version in versions[1:]:
            tiny_release.copy(store, first, version)
        tiny_release.make_live(store, first)
        service.dispose()
        warehouse.dispose()
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        yield ApiEnvironment(mariadb, var, warehouse_url, s3, store, versions, env, folder, stack)
