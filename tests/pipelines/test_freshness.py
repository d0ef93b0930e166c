"""Deadlines of the steps, from the warehouse table step_run."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from artifacts.raw import REPORT, RawRun
from artifacts.store import Store
from pipelines.freshness import StepsOverdue, check_deadlines
from pipelines.load.gates import FileHeldBack
from pipelines.load.sources import load_source
from sql.warehouse.steps import StepRun
from tests.builders.raw_runs import kst, put_shows, show
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)


def step(warehouse: Engine, name: str, hours: float, status: str = "done") -> None:
    row = {
        "run_id": f"{name} {hours} {status}",
        "step": name,
        "status": status,
        "started_at": NOW - timedelta(hours=hours),
        "rows_read": 0,
        "rows_written": 0,
        "rows_unchanged": 0,
        "rejected": {},
        "details": {},
    }
    with warehouse.begin() as conn:
        conn.execute(insert(StepRun).values(row))


@embedded_only
def test_a_step_is_overdue_when_its_last_success_is_old(service: Engine, warehouse: Engine, store: Store) -> None:
    def check(*broadcasters: str, now: datetime = NOW) -> None:
        check_deadlines(service, warehouse, store, "kok", broadcasters, now)

    check("hmall", "nsmall")  # nothing ever ran
    step(warehouse, "load_kok", 29)
    for name in ("load_hmall", "load_nsmall", "ingest_logs", "promote_release"):
        step(warehouse, name, 2)
    check("hmall", "nsmall")
    step(warehouse, "load_kok", 1, "failed")
    with pytest.raises(StepsOverdue) as caught:
        check("hmall", "nsmall", "hnsmall", now=NOW + timedelta(hours=2))
    assert str(caught.value) == (
        "catalog: no success of load_kok since 2025-08-05 07:00 UTC, allowed are 30 hours; "
        "schedule: no success of load_hnsmall so far, allowed are 8 hours; "
        "events: no success of ingest_logs since 2025-08-06 10:00 UTC, allowed are 3 hours"
    )


def put_half_days(service: Engine, warehouse: Engine, store: Store) -> list[RawRun]:
    """Load a broadcaster's day, then two crawls that lack half of it."""
    hours = [show(f"{hour:02}:00", f"{hour + 1:02}:00", hour + 1) for hour in range(24)]
    put_shows(store, kst("00:00"), hours)
    load_source("hnsmall", service, warehouse, store)
    runs = [put_shows(store, at, hours[:14]) for at in (kst("01:00"), kst("02:00"))]
    with pytest.raises(FileHeldBack):
        load_source("hnsmall", service, warehouse, store)
    return runs


@embedded_only
def test_an_overdue_load_says_what_is_held_back(service: Engine, warehouse: Engine, store: Store) -> None:
    *_, newest = put_half_days(service, warehouse, store)
    late = datetime.now(UTC) + timedelta(hours=9)
    for name in ("load_kok", "ingest_logs", "promote_release"):
        step(warehouse, name, (NOW - late) / timedelta(hours=1))
    with pytest.raises(StepsOverdue) as caught:
        check_deadlines(service, warehouse, store, "kok", ["hnsmall"], late)
    message = str(caught.value)
    assert "allowed are 8 hours (schedule " in message
    assert f"{newest.run_id}: 1 of 1 scopes held back: channel_id 1, day 2025-08-06: nothing is listed" in message
    assert message.endswith("; something of 1 other files too; `ukok load hnsmall --accept` loads it nevertheless)")


@embedded_only
def test_an_overdue_load_is_reported_without_the_store(service: Engine, warehouse: Engine, store: Store) -> None:
    *_, newest = put_half_days(service, warehouse, store)
    store.put(newest.stem + REPORT, b"{}")
    with pytest.raises(StepsOverdue, match=r"load_hnsmall since .* \(what is held back cannot be read: .*report"):
        check_deadlines(service, warehouse, store, "kok", ["hnsmall"], datetime.now(UTC) + timedelta(hours=9))
