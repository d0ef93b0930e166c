"""What landed is a fact or rejected: counted after each ingestion, and named with counts and an example."""

import re
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, event, func, select

from artifacts.store import Store
from pipelines.logs.ingest import ingest_logs
from pipelines.logs.reconcile import EventsDiffer, reconcile_all, usual_days
from pipelines.logs.tables import FACT, LANDED
from pipelines.maintenance.rows import find_events
from sql.warehouse.steps import StepRun
from tests.builders.events import facts, land
from tests.builders.raw_runs import kst
from tests.conftest import embedded_only

NOON = kst("12:00")
BEFORE = kst("10:00", date(2025, 8, 3))


def ingest(warehouse: Engine, store: Store, start: datetime | None = None) -> None:
    ingest_logs(warehouse, store, start, None, now=NOON)


def test_a_deleted_fact_is_named_and_ingested_again(warehouse: Engine, store: Store) -> None:
    lost, *_ = [land(warehouse, kst("10:00")) for _ in range(3)]
    land(warehouse, kst("10:00"), event_type="")
    ingest(warehouse, store)
    with warehouse.begin() as conn:
        conn.execute(delete(FACT).where(FACT.c.event_id == lost))
    wrong = r"2025-08-06: 4 landed \(0 wait\), but 2 are in fct_user_event and 1 in rejected_event; 1 that landed "
    with pytest.raises(EventsDiffer, match=f"^{wrong}are in neither, e.g. {lost}: ") as caught:
        ingest(warehouse, store)
    with warehouse.connect() as conn:
        statuses = conn.scalars(select(StepRun.status).order_by(StepRun.run_id)).all()
    assert statuses == ["done", "failed"]
    given = re.search(r"--start (\S+) --end (\S+)`", str(caught.value))
    assert given
    start, end = map(datetime.fromisoformat, given.groups())
    ingest_logs(warehouse, store, start, end, now=NOON)
    assert len(facts(warehouse)) == 3
    ingest(warehouse, store)


def test_a_lost_row_of_the_landing_table_is_named(warehouse: Engine, store: Store) -> None:
    land(warehouse, kst("09:00"))
    lost = land(warehouse, kst("10:00"))
    ingest(warehouse, store)
    with warehouse.begin() as conn:
        conn.execute(delete(LANDED).where(LANDED.c.event_id == lost))
    with pytest.raises(EventsDiffer, match=f"1 landed .* but 2 are in fct_user_event .*1 have lost .* e.g. {lost}"):
        ingest(warehouse, store)


def test_events_that_maintenance_deleted_are_not_missed(warehouse: Engine, store: Store) -> None:
    for hours in range(6):
        land(warehouse, BEFORE + timedelta(hours=hours))
    ingest(warehouse, store)
    for garbage in find_events(warehouse, BEFORE + timedelta(hours=3)).garbage:
        garbage.remove()
    assert landed(warehouse) == 3
    reconcile_all(warehouse, store)
    stamped_by_a_slow_clock = land(warehouse, BEFORE - timedelta(days=9_000))
    ingest(warehouse, store)
    reconcile_all(warehouse, store)
    assert stamped_by_a_slow_clock in facts(warehouse)


@embedded_only
def test_a_purge_during_reconciliation_is_no_difference(warehouse: Engine, store: Store) -> None:
    land(warehouse, BEFORE)
    ingest(warehouse, store)
    (garbage,) = find_events(warehouse, BEFORE + timedelta(hours=1)).garbage

    @event.listens_for(warehouse, "after_cursor_execute")
    def purge(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT ingest_position.landed_since") and landed(warehouse):
            garbage.remove()

    reconcile_all(warehouse, store)
    assert landed(warehouse) == 0


def landed(warehouse: Engine) -> int:
    with warehouse.connect() as conn:
        return conn.scalar(select(func.count()).select_from(LANDED)) or 0


def test_events_not_ingested_yet_are_not_missed(warehouse: Engine, store: Store) -> None:
    land(warehouse, kst("10:00"))
    reconcile_all(warehouse, store)
    ingest(warehouse, store)
    land(warehouse, kst("10:01"))
    reconcile_all(warehouse, store)


def test_every_day_is_checked_in_turn(warehouse: Engine, store: Store) -> None:
    for days in range(3):
        land(warehouse, BEFORE + timedelta(days=days))
    ingest(warehouse, store)
    checked = [usual_days(warehouse, NOON + timedelta(hours=hours)) for hours in range(3)]
    assert set.union(*checked) == {date(2025, 8, day) for day in range(3, 7)}
    assert all(date(2025, 8, 6) in days for days in checked)
