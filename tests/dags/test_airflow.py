"""The DAGs in a real Airflow, started as by `make airflow` and triggered by REST."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest
from sqlalchemy import Engine, create_engine, func, insert, make_url, select, text

from artifacts.open import open_store
from artifacts.raw import list_runs
from artifacts.release import current
from artifacts.store import Store
from crawlers.run_report import read_crawl_report
from crawlers.standin.catalog import DEMO, load_catalog
from crawlers.standin.faults import unavailable
from crawlers.standin.server import Standin, running_standin
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.service.base import ServiceBase
from sql.service.catalog import Broadcast, KokProduct
from sql.service.recipes import Recipe
from sql.warehouse.base import WarehouseBase
from sql.warehouse.events import FctUserEvent, UserEvent
from tests.builders.airflow_api import SECONDS, AirflowApi
from tests.builders.servers import embedded_folder, free_port
from tests.builders.unmeasured import unmeasured
from tests.builders.waiting import until
from tests.conftest import ROOT
from ukok.korea import KST

pytestmark = pytest.mark.usefixtures("default_signals")

EVENT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@dataclass(frozen=True)
class Airflow(AirflowApi):
    """A running Airflow: its REST API, and the script that started it."""

    script: "subprocess.Popen[bytes]"


@contextmanager
def airflow(env: Mapping[str, str], log: Path) -> Iterator[Airflow]:
    """Start Airflow as `make airflow` does, log in with what it prints, and stop it as Ctrl-C does."""
    port = free_port()
    command = [sys.executable, str(ROOT / "docker" / "local_airflow.py"), "--no-standin", "--port", str(port)]
    with log.open("wb") as out:
        script = subprocess.Popen(command, env=unmeasured(env), stdout=out, stderr=out, start_new_session=True)
    try:
        password = until(lambda: printed_password(script, log), "Airflow to start", SECONDS)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=180) as client:
            yield Airflow(AirflowApi.log_in(client, password).client, script)
    finally:
        script.send_signal(signal.SIGINT)
        script.wait(60)


def printed_password(script: "subprocess.Popen[bytes]", log: Path) -> str | None:
    assert script.poll() is None, log.read_text()
    found = re.search(r"login: admin / (\S+)", log.read_text())
    return found[1] if found else None


@pytest.fixture
def sources() -> Iterator[Standin]:
    """The demo sources; the middle of their three days is today."""
    with running_standin(load_catalog(DEMO, datetime.now(KST).date() - timedelta(days=1))) as standin:
        yield standin


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder with an embedded database of this test."""
    with embedded_folder() as folder:
        yield folder


@pytest.fixture
def env(sources: Standin, var: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return (
        kept
        | sources.env
        | {
            "UKOK_VAR_DIR": str(var),
            "UKOK_RECIPES_FILE": str(DEMO / "TB_RECIPE_SEARCH_demo.csv"),
            "UKOK_CRAWL_RETRIES": "0",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "OMP_NUM_THREADS": "1",
        }
    )


def count(engine: Engine, model: type[ServiceBase | WarehouseBase]) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(model)) or 0


def alive(process: psutil.Process) -> bool:
    """Tell whether a process is running and is not a zombie."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def put_event(warehouse: Engine) -> None:
    event = {"event_id": EVENT, "received_at": datetime.now(UTC), "event_type": "kok_product_info_view", "payload": {}}
    with warehouse.begin() as conn:
        conn.execute(insert(UserEvent).values(event))


@pytest.mark.timeout(1800)
def test_the_dags_run_in_a_real_airflow(env: dict[str, str], sources: Standin, var: Path, tmp_path: Path) -> None:
    with airflow(env, tmp_path / "airflow.log") as running:
        urls = embedded.start(var)
        service, warehouse = service_engine(urls["service"]), warehouse_engine(urls["warehouse"])
        store = open_store(str(var / "artifacts"))
        put_event(warehouse)
        check_sessions_that_rest_inside_a_transaction_end(urls["warehouse"])
        check_every_dag_does_its_work(running, service, warehouse, store)
        check_a_misspelt_parameter_fails_one_task(running)
        check_a_failed_crawl_fails_its_run(running, sources, store)
        check_a_failed_broadcaster_leaves_the_others_linked(running, sources)
        left = [psutil.Process(pid) for pid, _ in json.loads((var / "airflow" / "processes.json").read_text())]
        running.script.kill()
    assert all(alive(process) for process in left)
    with airflow(env, tmp_path / "again.log"):
        # What the killed run left behind is gone, and the new one works on the same databases.
        assert not any(alive(process) for process in left)
        left = [psutil.Process(pid) for pid, _ in json.loads((var / "airflow" / "processes.json").read_text())]
    assert not any(alive(process) for process in left)
    service.dispose()
    warehouse.dispose()


def check_sessions_that_rest_inside_a_transaction_end(warehouse: str) -> None:
    """A scheduler that is killed inside one must not lock its runs for ever."""
    engine = create_engine(make_url(warehouse).set(database="airflow"))
    with engine.connect() as conn:
        assert conn.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
    engine.dispose()


def check_every_dag_does_its_work(running: Airflow, service: Engine, warehouse: Engine, store: Store) -> None:
    imported = running.trigger("import_recipes")
    ingested = running.trigger("ingest_logs")
    assert running.ended("import_recipes", imported["dag_run_id"]) == "success"
    by_recipes = running.run_by_assets("train_and_publish", {"recipes"})
    crawled = running.trigger("crawl_kok")
    tomorrow = datetime.now(KST).date() + timedelta(days=1)
    scheduled = running.trigger("crawl_schedules", date=tomorrow.isoformat(), days=1)
    assert running.ended("crawl_kok", crawled["dag_run_id"]) == "success"
    assert running.ended("crawl_schedules", scheduled["dag_run_id"]) == "success"
    assert running.ended("ingest_logs", ingested["dag_run_id"]) == "success"
    assert running.ended("train_and_publish", by_recipes) == "success"
    # It would do what the one before has done.
    running.stop("train_and_publish", running.run_by_assets("train_and_publish", {"catalog", "schedule"}))

    catalog = load_catalog(DEMO)
    assert count(service, KokProduct) == len(catalog.kok)
    with service.connect() as conn:
        assert set(conn.scalars(select(Broadcast.channel_id))) == {show.channel_id for show in catalog.shows}
    assert count(service, Recipe) == 300
    with warehouse.connect() as conn:
        assert conn.scalars(select(FctUserEvent.event_id)).all() == [EVENT]
    assert current(store)
    # A run triggered by hand has no logical date: its day is the Korean day on which it was triggered. Shortly after a
    # tick of its timetable a DAG also has a scheduled run.
    due = datetime.fromisoformat(crawled["run_after"])
    assert due.astimezone(KST).date() in {run.day for run in list_runs(store, "kok", "prices")}
    # A crawl is filed under the day on which it ran; the days that it read are in its report.
    read = [scope for run in list_runs(store, "hmall", "schedule") for scope in read_crawl_report(store, run).scopes]
    assert tomorrow.isoformat() in {scope.key["day"] for scope in read}


def check_a_misspelt_parameter_fails_one_task(running: Airflow) -> None:
    runs = {dag: running.trigger(dag, acept=True)["dag_run_id"] for dag in ("crawl_kok", "crawl_schedules")}
    for dag, run in runs.items():
        assert running.ended(dag, run) == "failed"
        tasks = running.tasks(dag, run)
        assert tasks.pop("check") == ("failed", 1)
        assert set(tasks.values()) == {("upstream_failed", 0)}


def check_a_failed_crawl_fails_its_run(running: Airflow, sources: Standin, store: Store) -> None:
    before = list_runs(store, "kok", "prices")
    sources.faults.rules.append(unavailable("/m/event/category"))
    run = running.trigger("crawl_kok")["dag_run_id"]
    assert running.ended("crawl_kok", run) == "failed"
    assert running.tasks("crawl_kok", run) == {
        "check": ("success", 1),
        "crawl": ("failed", 3),
        "load": ("skipped", 1),
        "link": ("skipped", 0),
        "complete": ("upstream_failed", 0),
    }
    assert list_runs(store, "kok", "prices") == before


def check_a_failed_broadcaster_leaves_the_others_linked(running: Airflow, sources: Standin) -> None:
    sources.faults.rules.append(unavailable("mapi.nsmall.com"))
    run = running.trigger("crawl_schedules", days=1)["dag_run_id"]
    assert running.ended("crawl_schedules", run) == "failed"
    states = {task: state for task, (state, _) in running.tasks("crawl_schedules", run).items()}
    failed = {"crawl_nsmall": "failed", "load_nsmall": "skipped", "complete": "upstream_failed"}
    extra = running.asset_event("schedule")["extra"]
    assert (extra["fresh"], extra["stale"]) == (["hmall", "hnsmall"], ["nsmall"])
    assert extra["rows"].keys() == {
        "load_hmall",
        "load_hmall_history",
        "load_hnsmall",
        "load_hnsmall_history",
        "link_items",
    }
    assert extra["versions"].keys() >= {"schedule"}
    others = ("check", "crawl_hmall", "crawl_hnsmall", "load_hmall", "load_hnsmall", "link")
    assert states == failed | dict.fromkeys(others, "success")
