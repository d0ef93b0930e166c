"""Runs that are gone are distinguished from live ones, whatever killed them."""

import signal
import subprocess
import sys
from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select, text

from artifacts.store import Store
from pipelines.report import record
from pipelines.step_locks import ARTIFACTS, KEYSPACE, dead_runs, exclusive_lock, shared_lock
from sql.warehouse.steps import StepRun
from tests.builders.unmeasured import unmeasured

STEP = """
import sys, time
from artifacts.open import open_store
from pipelines.report import record
from sql.engines import warehouse_engine
with record(warehouse_engine(), open_store(), "load_kok"):
    print("working", flush=True)
    time.sleep(600)
"""


def statuses(warehouse: Engine) -> dict[str, tuple[str, str | None]]:
    with warehouse.connect() as conn:
        return {row.step: (row.status, row.error) for row in conn.execute(select(StepRun))}


def test_a_killed_run_is_marked_when_the_next_step_starts(
    warehouse: Engine, store: Store, stack_env: dict[str, str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STEP], env=unmeasured(stack_env), stdout=subprocess.PIPE, text=True
    ) as step:
        assert step.stdout is not None
        assert step.stdout.readline() == "working\n"
        with record(warehouse, store, "link"):
            assert statuses(warehouse)["load_kok"] == ("running", None)
        step.send_signal(signal.SIGKILL)
    with record(warehouse, store, "link_again"):
        status, error = statuses(warehouse)["load_kok"]
    assert status == "killed"
    assert "run it again" in (error or "")
    assert statuses(warehouse)["link_again"][0] == "done"


def test_a_run_that_lost_its_connection_still_ends_as_done(warehouse: Engine, store: Store) -> None:
    with record(warehouse, store, "load_kok"):
        with warehouse.begin() as conn:
            held = text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE classid = :k AND locktype = 'advisory'"
            )
            conn.execute(held, {"k": KEYSPACE})
        with warehouse.connect() as conn:
            assert len(dead_runs(conn)) == 1
    assert statuses(warehouse) == {"load_kok": ("done", None)}


def test_a_row_of_a_run_without_a_lock_is_dead(warehouse: Engine) -> None:
    row = {"rows_read": 0, "rows_written": 0, "rows_unchanged": 0, "rejected": {}, "details": {}}
    with warehouse.begin() as conn:
        row |= {"run_id": "1", "step": "link", "status": "running", "started_at": datetime(2025, 8, 6, tzinfo=UTC)}
        conn.execute(insert(StepRun).values(row))
        assert dead_runs(conn) == {"1"}


def test_an_exclusive_lock_waits_for_nobody(warehouse: Engine) -> None:
    one, another = shared_lock(warehouse, ARTIFACTS), shared_lock(warehouse, ARTIFACTS)
    with one, another, exclusive_lock(warehouse, ARTIFACTS) as held:
        assert not held
    with exclusive_lock(warehouse, ARTIFACTS) as held:
        assert held
