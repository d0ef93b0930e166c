"""Rejected events are tried again after a correction of the rules."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.logs import rules
from pipelines.logs.ingest import WrongInterval, ingest_logs
from pipelines.logs.replay import replay_logs
from pipelines.logs.tables import FACT, LANDED, REJECTED
from sql.warehouse.erase import anonymise
from tests.builders.events import facts, land
from tests.builders.raw_runs import kst

NOON = kst("12:00")
FUTURE = "occurred_at is in the future"


@pytest.fixture
def corrected(warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Rejected events of two days, some of them by a rule that is corrected afterwards."""
    for day in (5, 6):
        moment = kst("10:00", date(2025, 8, day))
        land(warehouse, moment, occurred_at=moment + timedelta(days=2), user_id=day)
        land(warehouse, moment, event_type="", user_id=day)
    ingest_logs(warehouse, store, None, None, now=NOON)
    assert facts(warehouse) == {}
    monkeypatch.setattr(rules, "FUTURE", timedelta(days=30))
    return monkeypatch


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("batch", [1, 100_000])
def test_events_that_are_valid_now_become_facts(warehouse: Engine, store: Store, batch: int) -> None:
    report = replay_logs(warehouse, store, None, None, batch=batch)
    assert (report.read, report.written, report.unchanged) == (4, 2, 2)
    assert sorted(facts(warehouse).values()) == [date(2025, 8, 5), date(2025, 8, 6)]
    with warehouse.connect() as conn:
        row = conn.execute(select(FACT).where(FACT.c.user_id == 6)).mappings().one()
        landed = conn.execute(select(LANDED).where(LANDED.c.event_id == row["event_id"])).mappings().one()
        assert conn.scalars(select(REJECTED.c.reason)).all() == ["event_type is empty"] * 2
    assert {name: row[name] for name in row if name != "day"} == {name: landed[name] for name in row if name != "day"}
    again = replay_logs(warehouse, store, None, None)
    assert (again.read, again.written, again.unchanged) == (2, 0, 2)
    ingest_logs(warehouse, store, kst("00:00", date(2025, 8, 5)), None, now=NOON)
    assert len(facts(warehouse)) == 2


@pytest.mark.usefixtures("corrected")
def test_replay_is_bounded_by_time_and_reason(warehouse: Engine, store: Store) -> None:
    midnight = kst("00:00")
    assert replay_logs(warehouse, store, None, None, only_reason="event_type is empty").written == 0
    assert replay_logs(warehouse, store, midnight, None, only_reason=FUTURE).read == 1
    assert list(facts(warehouse).values()) == [date(2025, 8, 6)]
    assert replay_logs(warehouse, store, None, midnight).written == 1
    with pytest.raises(WrongInterval):
        replay_logs(warehouse, store, NOON, midnight)


@pytest.mark.usefixtures("corrected")
def test_a_rejected_event_is_a_fact_only_by_replay(warehouse: Engine, store: Store) -> None:
    report = ingest_logs(warehouse, store, kst("00:00", date(2025, 8, 5)), None, now=NOON)
    assert (report.written, report.unchanged) == (0, 4)


@pytest.mark.usefixtures("corrected")
def test_an_anonymised_rejected_event_stays(warehouse: Engine, store: Store) -> None:
    with warehouse.begin() as conn:
        anonymise(conn, [5])
    assert replay_logs(warehouse, store, None, None).written == 1
    assert list(facts(warehouse).values()) == [date(2025, 8, 6)]
