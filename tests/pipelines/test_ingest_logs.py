"""Events from the landing table into the fact table: each once, none too early, bad ones kept apart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, select, text

from artifacts.store import Store
from pipelines.logs.ingest import FACT, LANDED, QUARANTINE, STEP_RUN, ingest_logs
from pipelines.report import Report
from tests.builders.raw_runs import kst

NOON, GRACE = kst("12:00"), timedelta(seconds=60)

Ingest = Callable[..., Report]


@pytest.fixture
def ingest(warehouse: Engine, store: Store) -> Ingest:
    def run(start: datetime | None = None, end: datetime | None = None, now: datetime = NOON) -> Report:
        return ingest_logs(warehouse, store, start, end, now=now, grace=GRACE)

    return run


def land(warehouse: Engine, received_at: datetime, **changes: Any) -> UUID:
    event = {"event_id": uuid4(), "received_at": received_at, "event_type": "user_activity_user_login"}
    event |= {"user_id": 7, "path": "/kok", "label": "콕 🍣", "payload": {"keyword": "감자"}} | changes
    with warehouse.begin() as conn:
        conn.execute(insert(LANDED).values(event))
    return UUID(str(event["event_id"]))


def facts(warehouse: Engine) -> dict[UUID, date]:
    with warehouse.connect() as conn:
        return dict(conn.execute(select(FACT.c.event_id, FACT.c.day)).all())


def test_events_go_to_the_day_in_korea_on_which_they_came(warehouse: Engine, ingest: Ingest) -> None:
    before = land(warehouse, kst("23:59", date(2025, 8, 5)), occurred_at=kst("10:00", date(2020, 1, 1)))
    after = land(warehouse, kst("00:00"))
    report = ingest(kst("00:00", date(2025, 8, 5)), kst("11:00"))
    assert facts(warehouse) == {before: date(2025, 8, 5), after: date(2025, 8, 6)}
    assert (report.read, report.written, report.unchanged) == (2, 2, 0)
    with warehouse.connect() as conn:
        row = conn.execute(select(FACT).where(FACT.c.event_id == before)).mappings().one()
        landed = conn.execute(select(LANDED).where(LANDED.c.event_id == before)).mappings().one()
        partitions = conn.scalars(text("SELECT tableoid::regclass::text FROM fct_user_event ORDER BY day")).all()
    assert {name: row[name] for name in landed} == dict(landed)
    assert partitions == ["fct_user_event_20250805", "fct_user_event_20250806"]


def test_the_interval_includes_its_start_and_not_its_end(warehouse: Engine, ingest: Ingest) -> None:
    inside = [land(warehouse, kst("10:00")), land(warehouse, kst("11:00") - timedelta(microseconds=1))]
    land(warehouse, kst("10:00") - timedelta(microseconds=1))
    land(warehouse, kst("11:00"))
    ingest(kst("10:00"), kst("11:00"))
    assert set(facts(warehouse)) == set(inside)


def test_again_changes_nothing(warehouse: Engine, ingest: Ingest) -> None:
    land(warehouse, kst("10:00"))
    land(warehouse, kst("10:00"), event_type=" ")
    first = ingest(kst("09:00"), kst("11:00"))
    again = ingest(kst("09:00"), kst("11:00"))
    assert (first.read, first.written, first.rejected) == (2, 1, {"event_type is empty": 1})
    assert (again.read, again.written, again.unchanged, again.rejected) == (2, 0, 2, {})
    assert len(facts(warehouse)) == 1


def test_an_event_that_may_still_have_company_waits(warehouse: Engine, ingest: Ingest) -> None:
    early = land(warehouse, NOON - timedelta(seconds=61))
    late = land(warehouse, NOON - timedelta(seconds=60))
    report = ingest(kst("10:00"), kst("23:00"))
    assert set(facts(warehouse)) == {early}
    assert report.interval_end == NOON - GRACE
    ingest(kst("10:00"), kst("23:00"), NOON + timedelta(seconds=1))
    assert set(facts(warehouse)) == {early, late}


def test_without_a_start_each_run_goes_on_where_the_last_ended(warehouse: Engine, ingest: Ingest) -> None:
    now = datetime.now(UTC)
    first = land(warehouse, now - timedelta(days=400))
    assert ingest(now=now).read == 1
    second = land(warehouse, now - GRACE)
    third = land(warehouse, now + timedelta(hours=2))
    ingest(now + timedelta(hours=1), now + timedelta(hours=3), now + timedelta(hours=4))  # by hand: leaves a gap
    assert set(facts(warehouse)) == {first, third}
    report = ingest(now=now + timedelta(hours=5))
    assert (report.interval_start, report.read) == (now - GRACE, 2)
    assert set(facts(warehouse)) == {first, second, third}


def test_a_run_with_a_later_time_skips_no_events_of_the_next(warehouse: Engine, ingest: Ingest) -> None:
    now = datetime.now(UTC)
    ingest(now=now + timedelta(days=3))
    event = land(warehouse, now - timedelta(hours=1))
    ingest(now=now)
    assert set(facts(warehouse)) == {event}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event_type": ""}, "event_type is empty"),
        ({"event_type": "  "}, "event_type is empty"),
        ({"payload": ["not", "an", "object"]}, "payload is not an object"),
        ({"payload": "text"}, "payload is not an object"),
        ({"occurred_at": kst("10:00", date(2031, 1, 1))}, "occurred_at is in the future"),
    ],
)
def test_a_bad_event_is_kept_apart_with_the_reason(
    warehouse: Engine, store: Store, ingest: Ingest, changes: dict[str, Any], reason: str
) -> None:
    bad = land(warehouse, kst("10:00"), **changes)
    good = land(warehouse, kst("10:00"), occurred_at=kst("20:00"))
    report = ingest(kst("09:00"), kst("11:00"))
    assert set(facts(warehouse)) == {good}
    with warehouse.connect() as conn:
        kept = conn.execute(select(QUARANTINE)).mappings().one()
    assert (kept["event_id"], kept["reason"], kept["received_at"]) == (bad, reason, kst("10:00"))
    assert kept["event"]["label"] == "콕 🍣"
    assert report.rejected == {reason: 1}
    assert store.exists(report.rejects_key)


def test_nothing_landed_yet(warehouse: Engine, ingest: Ingest) -> None:
    report = ingest()
    assert (report.read, report.written) == (0, 0)
    with warehouse.connect() as conn:
        assert conn.execute(select(STEP_RUN.c.step, STEP_RUN.c.status)).one() == ("ingest_logs", "done")
