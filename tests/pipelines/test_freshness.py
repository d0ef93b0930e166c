"""Deadlines of the steps, from the warehouse table step_run."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from pipelines.freshness import StepsOverdue, check_deadlines
from sql.warehouse.steps import StepRun
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
def test_a_step_is_overdue_when_its_last_success_is_old(warehouse: Engine) -> None:
    check_deadlines(warehouse, "kok", ["hmall", "nsmall"], NOW)  # nothing ever ran
    step(warehouse, "load_kok", 29)
    for name in ("load_hmall", "load_nsmall", "ingest_logs", "promote_release"):
        step(warehouse, name, 2)
    check_deadlines(warehouse, "kok", ["hmall", "nsmall"], NOW)
    step(warehouse, "load_kok", 1, "failed")
    with pytest.raises(StepsOverdue) as caught:
        check_deadlines(warehouse, "kok", ["hmall", "nsmall", "hnsmall"], NOW + timedelta(hours=2))
    assert str(caught.value) == (
        "catalog: no success of load_kok since 2025-08-05 07:00 UTC, allowed are 30 hours; "
        "schedule: no success of load_hnsmall so far, allowed are 8 hours; "
        "events: no success of ingest_logs since 2025-08-06 10:00 UTC, allowed are 3 hours"
    )
