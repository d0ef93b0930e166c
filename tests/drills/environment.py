"""An Airflow of its own for drills, on MariaDB and PostgreSQL behind proxies, with the demo sources."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import sqlalchemy
from sqlalchemy import Engine, insert, make_url

from crawlers.standin.catalog import DEMO, Catalog, load_catalog
from crawlers.standin.faults import Fault
from crawlers.standin.server import Standin, running_standin
from dags.metadata_database import WITHOUT_LIMIT
from sql.engines import service_engine, warehouse_engine
from sql.warehouse.events import UserEvent
from tests.builders.airflow_api import AirflowApi
from tests.builders.alert_receivers import webhook
from tests.builders.databases import new_database
from tests.builders.local_airflow import airflow_processes
from tests.builders.local_airflow import script as airflow
from tests.builders.servers import free_port
from tests.builders.tcp_proxy import TcpProxy, tcp_proxy
from tests.builders.waiting import until
from ukok.korea import KST

DISK_MEGABYTES = 60
RETRY_SECONDS = 12  # Airflow doubles it and adds up to as much again
# Airflow finds out within a minute or so that a process is gone; sooner, a busy machine would lose live ones.
IMPATIENT = {
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": str(RETRY_SECONDS),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
    # The DAGs do not change.
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}


@dataclass
class Environment:
    """What a drill works with: engines reach the databases directly, the steps reach them through the proxies."""

    api: AirflowApi
    sources: Standin
    demo: Catalog
    service: Engine
    warehouse: Engine
    metadata: Engine
    proxies: Sequence[TcpProxy]
    artifacts: Path
    env: dict[str, str]
    home: Path
    port: int
    processes: dict[str, psutil.Popen]
    alerts: list[dict[str, Any]]
    killed: list[psutil.Popen]
    catalog: Catalog = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = self.demo

    def crawl_schedules(self) -> str:
        """Trigger a crawl of the days to come that the demo sources show; return the id of the run."""
        return str(self.api.trigger("crawl_schedules", days=3)["dag_run_id"])

    def reset(self) -> None:
        """Wait until nothing runs, and forget the faults and alerts of the drill before."""
        self.sources.faults.rules.clear()
        active = "/api/v2/dags/~/dagRuns?state=running&state=queued"
        until(lambda: not self.api.get(active)["dag_runs"], "all runs to end", 600)
        self.alerts.clear()

    def change_prices(self, won: int) -> None:
        """Let every product of the mall cost so much more than in the demo catalog, so that a load has work."""
        rows = (row.model_copy(update={"price": row.price + won, "list_price": None}) for row in self.demo.kok)
        self.catalog = replace(self.demo, kok=tuple(rows))
        self.sources.show(self.catalog)

    def slow_down(self, seconds: float) -> None:
        """Let every response of the sources take longer."""
        self.sources.faults.rules.append(Fault("", seconds=seconds))

    def put_events(self, count: int, received_at: datetime) -> None:
        """Put events of the API into the landing table."""
        event = {"received_at": received_at, "event_type": "kok_product_info_view", "payload": {}}
        with self.warehouse.begin() as conn:
            conn.execute(insert(UserEvent), [event | {"event_id": uuid4()} for _ in range(count)])

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave no space in the artifact store."""
        filler = self.artifacts / "filler"
        with filler.open("wb", buffering=0) as out, suppress(OSError):
            while True:
                out.write(bytes(65_536))
        try:
            yield
        finally:
            filler.unlink()

    def wait(self, seconds: float) -> None:
        """Let time pass, as the drill says."""
        time.sleep(seconds)

    def ukok(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as an operator does beside Airflow."""
        return subprocess.run(
            [str(airflow.BIN / "ukok"), *args], env=self.env, capture_output=True, text=True, check=False
        )

    def task_process(self, instance: dict[str, Any]) -> psutil.Process:
        """Return the process of a running task."""

        def find() -> psutil.Process | None:
            title = f"airflow worker -- {instance['id']}"
            running = psutil.process_iter(["cmdline"])
            return next((one for one in running if " ".join(one.info["cmdline"] or []).strip() == title), None)

        return until(find, f"the process of {instance['task_id']}")

    def kill_scheduler(self) -> None:
        """Kill the scheduler as the kernel does when memory runs out; its task processes live on until the end."""
        process = self.processes.pop("scheduler")
        process.kill()
        process.wait()
        self.killed.append(process)

    def start_scheduler(self) -> None:
        """Start the scheduler again."""
        airflow_processes.start(
            {"scheduler": airflow.component_commands(self.port)["scheduler"]}, self.env, self.home, self.processes
        )
        airflow.wait_until_healthy(["scheduler"], self.port, self.processes, self.home)


@contextmanager
def environment() -> Iterator[Environment]:
    """Start everything; stop and remove it at the end."""
    with ExitStack() as stack:
        catalog = load_catalog(DEMO, datetime.now(KST).date() - timedelta(days=1))
        sources = stack.enter_context(running_standin(catalog))
        hook, alerts = stack.enter_context(webhook())
        urls = {
            "service": stack.enter_context(new_database("mariadb")),
            "warehouse": stack.enter_context(new_database("postgresql")),
            "metadata": stack.enter_context(new_database("postgresql")),
        }
        proxies = {name: stack.enter_context(_proxy(urls[name])) for name in ("service", "warehouse")}
        var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ukok-drills-", ignore_cleanup_errors=True)))
        stack.enter_context(_small_disk(var / "artifacts"))
        home, port = var / "airflow", free_port()
        home.mkdir()
        env = (
            os.environ
            | airflow.common_settings()
            | airflow.airflow_settings(home, port, urls["metadata"])
            | IMPATIENT
            | sources.env
        )
        env |= {
            "UKOK_SERVICE_DB_URL": _through(urls["service"], proxies["service"]),
            "UKOK_WAREHOUSE_DB_URL": _through(urls["warehouse"], proxies["warehouse"]),
            "UKOK_ARTIFACTS_URL": str(var / "artifacts"),
            "UKOK_RECIPES_FILE": str(DEMO / "TB_RECIPE_SEARCH_demo.csv"),
            "UKOK_ALERT_WEBHOOK_URL": hook,
            "OMP_NUM_THREADS": "1",
        }
        airflow_processes.finish([str(airflow.BIN / "ukok"), "db", "upgrade"], env)
        airflow_processes.finish([str(airflow.BIN / "airflow"), "db", "migrate"], env | WITHOUT_LIMIT)
        airflow_processes.finish([sys.executable, "-m", "dags.metadata_database"], env)
        airflow_processes.finish([sys.executable, "-m", "dags.pools"], env)
        password = airflow.admin_password(home)
        processes = stack.enter_context(airflow_processes.stopped_at_the_end(home))
        airflow.start_airflow(env, home, port, urls["metadata"], processes)
        killed: list[psutil.Popen] = []
        stack.callback(airflow_processes.stop, killed)
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=180))
        api = AirflowApi.log_in(client, password)
        service, warehouse = service_engine(urls["service"]), warehouse_engine(urls["warehouse"])
        metadata = sqlalchemy.create_engine(urls["metadata"])
        for engine in (service, warehouse, metadata):
            stack.callback(engine.dispose)
        yield Environment(
            api,
            sources,
            catalog,
            service,
            warehouse,
            metadata,
            list(proxies.values()),
            var / "artifacts",
            env,
            home,
            port,
            processes,
            alerts,
            killed,
        )


@contextmanager
def _proxy(url: str) -> Iterator[TcpProxy]:
    parsed = make_url(url)
    with tcp_proxy(parsed.host or "127.0.0.1", parsed.port or 0) as proxy:
        yield proxy


def _through(url: str, proxy: TcpProxy) -> str:
    return make_url(url).set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """Mount a small file system in memory on a folder, so that it can be full."""
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    subprocess.run([mount, "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        while subprocess.run(["umount", str(folder)], check=False).returncode:
            time.sleep(0.5)
