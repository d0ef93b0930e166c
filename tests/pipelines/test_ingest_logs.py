"""Events from the landing table into the fact table: each once, none lost, invalid ones apart."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select, text

from artifacts.store import Store
from pipelines.logs.batches import after_until, end_of_batch
from pipelines.logs.ingest import WrongInterval, _new_batches, ingest_logs
from pipelines.logs.position import FIRST_ID, EventsWait
from pipelines.logs.replay import replay_logs
from pipelines.logs.tables import FACT, LANDED, REJECTED
from pipelines.report import Report
from sql.warehouse.steps import StepRun
from tests.builders.events import an_event, facts, land
from tests.builders.raw_runs import kst
from tests.conftest import embedded_only

NOON = kst("12:00")

Ingest = Callable[..., Report]


@pytest.fixture
def ingest(warehouse: Engine, store: Store) -> Ingest:
    def run(*interval: Any, **changes: Any) -> Report:
        start, end = interval or (None, None)
        return ingest_logs(warehouse, store, start, end, **{"now": NOON} | changes)

    return run


def test_events_go_to_the_day_in_korea_on_which_they_came(warehouse: Engine, ingest: Ingest) -> None:
    before = land(warehouse, kst("23:59", date(2025, 8, 5)), occurred_at=kst("10:00", date(2020, 1, 1)))
    after = land(warehouse, kst("00:00"))
    report = ingest()
    assert facts(warehouse) == {before: date(2025, 8, 5), after: date(2025, 8, 6)}
    assert (report.read, report.written, report.unchanged) == (2, 2, 0)
    with warehouse.connect() as conn:
        row = conn.execute(select(FACT).where(FACT.c.event_id == before)).mappings().one()
        landed = conn.execute(select(LANDED).where(LANDED.c.event_id == before)).mappings().one()
        partitions = conn.scalars(text("SELECT tableoid::regclass::text FROM fct_user_event ORDER BY day")).all()
    assert {name: row[name] for name in row if name != "day"} == {name: landed[name] for name in row if name != "day"}
    assert partitions == ["fct_user_event_20250805", "fct_user_event_20250806"]


def test_each_run_goes_on_where_the_last_one_ended(warehouse: Engine, ingest: Ingest) -> None:
    first = land(warehouse, kst("10:00"))
    assert ingest().read == 1
    second = land(warehouse, kst("10:30"))
    report = ingest()
    assert (report.read, report.written) == (1, 1)
    assert set(facts(warehouse)) == {first, second}
    assert ingest().read == 0


def test_an_event_stamped_by_a_slow_clock_is_taken_in(warehouse: Engine, ingest: Ingest) -> None:
    land(warehouse, kst("10:00"))
    ingest()
    late = land(warehouse, kst("09:00") - timedelta(days=40))
    assert ingest().written == 1
    assert facts(warehouse)[late] == date(2025, 6, 27)


def test_the_days_of_known_events_are_reconciled_too(warehouse: Engine, ingest: Ingest) -> None:
    days = [date(2025, 8, 1) + timedelta(days=days) for days in range(3)]
    for day in days:
        land(warehouse, kst("10:00", day))
        land(warehouse, kst("10:00", day), event_type="")
    interval = kst("00:00", days[0]), kst("00:00", date(2025, 8, 5))
    first, again = ingest(*interval), ingest(*interval)
    assert (first.written, again.written, again.unchanged) == (3, 0, 6)
    assert first.details["reconciled_days"] == again.details["reconciled_days"] == len(days) + 2


@pytest.mark.parametrize("is_first", [True, False])
def test_a_transaction_that_commits_late_is_taken_in(warehouse: Engine, ingest: Ingest, *, is_first: bool) -> None:
    if not is_first:
        ingest()
    with warehouse.connect() as slow:
        early = an_event(kst("11:30"))
        slow.execute(insert(LANDED).values(early))
        later = land(warehouse, kst("11:35"))
        report = ingest()
        assert early["event_id"] not in facts(warehouse)
        assert report.details["waiting"] == 1
        (reason,) = report.details["waiting_for"]
        assert reason.startswith("process ")
        slow.commit()
    ingest()
    assert set(facts(warehouse)) == {early["event_id"], later}


def test_a_forgotten_transaction_fails_the_run(warehouse: Engine, ingest: Ingest) -> None:
    ingest()
    with warehouse.connect() as forgotten:
        forgotten.execute(text("SELECT pg_current_xact_id()"))
        land(warehouse, kst("11:30"))
        assert ingest().written == 0
        with pytest.raises(EventsWait, match=r"1 events, the oldest of 2025-08-06 02:30 UTC, .*process \d+ .*since"):
            ingest(now=kst("12:31"))
    assert ingest().written == 1


def test_a_run_that_another_overtakes_does_not_start_anew(warehouse: Engine, ingest: Ingest) -> None:
    land(warehouse, kst("10:00"))
    ingest()
    land(warehouse, kst("11:00"))
    batches = _new_batches(warehouse, Report("ingest_logs", "1"), NOON, 1)
    assert next(batches).read == 1
    land(warehouse, kst("11:30"))
    assert ingest().read == 1
    assert list(batches) == []
    assert ingest().read == 0


@embedded_only  # both databases are on one server
def test_transactions_of_other_databases_hold_up_nothing(warehouse: Engine, service: Engine, ingest: Ingest) -> None:
    with service.connect() as other:
        other.execute(text("SELECT pg_current_xact_id()"))
        land(warehouse, kst("10:00"))
        assert ingest().written == 1


@embedded_only
@pytest.mark.parametrize("name", ["transaction_id", "received_at"])
def test_a_batch_in_the_middle_of_a_large_table_is_known_as_small(warehouse: Engine, name: str) -> None:
    """Else PostgreSQL reads the whole table for each batch of a large backlog."""
    fill = """
        INSERT INTO user_event (event_id, received_at, event_type, payload, transaction_id)
        SELECT gen_random_uuid(), TIMESTAMPTZ '2025-08-06 00:00+09' + number / 100 * INTERVAL '1 second', 'a', '{}',
            number / 100
        FROM generate_series(0, 49999) AS number
    """
    column = LANDED.c[name]
    with warehouse.begin() as conn:
        conn.execute(text(fill))
        conn.execute(text("ANALYZE user_event"))
        first = conn.execute(select(func.min(column))).scalar_one()
        last = conn.execute(select(func.max(column))).scalar_one()
        after = end_of_batch(conn, column, (first, FIRST_ID), last, 25_000)
        assert after is not None
        until = end_of_batch(conn, column, after, last, 500)
        assert until is not None
        batch = select(LANDED).where(after_until(column, after, until)).compile(warehouse)
        (found,) = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {batch}", batch.params).scalar_one()
    assert found["Plan"]["Plan Rows"] < 2_500, found


def test_a_killed_run_goes_on_after_its_last_batch(warehouse: Engine, ingest: Ingest) -> None:
    ingest()  # makes the partition of the day: each batch is one statement
    events = [an_event(kst("10:00")) for _ in range(25)]
    with warehouse.begin() as conn:
        conn.execute(insert(LANDED), events)
    begun = 0

    def stop(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal begun
        begun += "INSERT INTO fct_user_event" in statement
        if begun == 3:
            raise KeyboardInterrupt

    event.listen(warehouse, "before_cursor_execute", stop)
    with pytest.raises(KeyboardInterrupt):
        ingest(batch=10)
    event.remove(warehouse, "before_cursor_execute", stop)
    assert len(facts(warehouse)) == 20
    report = ingest(batch=10)
    assert (report.read, report.written) == (5, 5)
    assert set(facts(warehouse)) == {row["event_id"] for row in events}


@pytest.mark.parametrize("batch", [3, 100_000])
def test_a_backup_restored_elsewhere_is_ingested_once(warehouse: Engine, ingest: Ingest, batch: int) -> None:
    known = [land(warehouse, kst("10:00")) for _ in range(4)]
    ingest()
    with warehouse.begin() as conn:  # numbers of the cluster that made the backup
        conn.execute(text("UPDATE user_event SET transaction_id = transaction_id + 1000000"))
        conn.execute(text("UPDATE ingest_position SET cluster_id = 1, transaction_id = transaction_id + 1000000"))
    from_backup = land(warehouse, kst("10:01"), transaction_id=2_000_000_000)
    new = land(warehouse, kst("10:02"))
    report = ingest(batch=batch)
    assert (report.read, report.written, report.unchanged) == (6, 2, 4)
    after = land(warehouse, kst("10:03"))
    report = ingest(batch=batch)
    assert (report.read, report.written) == (1, 1)
    assert set(facts(warehouse)) == {*known, from_backup, new, after}


def test_a_cluster_that_was_set_back_loses_no_events(warehouse: Engine, ingest: Ingest) -> None:
    land(warehouse, kst("10:00"))
    ingest()
    with warehouse.begin() as conn:
        conn.execute(text("UPDATE ingest_position SET transaction_id = transaction_id + 1000000"))
    land(warehouse, kst("10:01"))
    assert ingest().written == 1


def test_the_interval_includes_its_start_and_not_its_end(warehouse: Engine, ingest: Ingest) -> None:
    inside = [land(warehouse, kst("10:00")), land(warehouse, kst("11:00") - timedelta(microseconds=1))]
    land(warehouse, kst("10:00") - timedelta(microseconds=1))
    land(warehouse, kst("11:00"))
    report = ingest(kst("10:00"), kst("11:00"), batch=1)
    assert set(facts(warehouse)) == set(inside)
    assert (report.interval_start, report.interval_end) == (kst("10:00"), kst("11:00"))
    assert ingest().written == 2, "an interval does not move the position"


@pytest.mark.parametrize(("start", "end"), [("11:00", "10:00"), ("11:00", "11:00"), (None, "11:00")])
def test_a_wrong_interval_is_refused_with_its_ends(ingest: Ingest, start: str | None, end: str) -> None:
    moments = [kst(clock) if clock else None for clock in (start, end)]
    with pytest.raises(WrongInterval) as caught:
        ingest(*moments)
    assert all(moment.isoformat() in str(caught.value) for moment in moments if moment)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00+09:00", "9999-12-31T23:59-09:00"])
def test_an_instant_without_a_time_in_other_zones_is_refused(
    warehouse: Engine, store: Store, ingest: Ingest, instant: str
) -> None:
    end_of_time = datetime.fromisoformat(instant)
    for interval in ((end_of_time, NOON), (NOON, end_of_time)):
        with pytest.raises(WrongInterval, match=r"out of range|not after"):
            ingest(*interval)
    with pytest.raises(WrongInterval, match="out of range"):
        replay_logs(warehouse, store, end_of_time, None)


def test_again_changes_nothing(warehouse: Engine, ingest: Ingest) -> None:
    land(warehouse, kst("10:00"))
    land(warehouse, kst("10:00"), event_type=" ")
    first = ingest(kst("09:00"), kst("11:00"))
    again = ingest(kst("09:00"), kst("11:00"))
    assert (first.read, first.written, first.rejected) == (2, 1, {"event_type is empty": 1})
    assert (again.read, again.written, again.unchanged, again.rejected) == (2, 0, 2, {})
    assert len(facts(warehouse)) == 1


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
    report = ingest()
    assert set(facts(warehouse)) == {good}
    with warehouse.connect() as conn:
        kept = conn.execute(select(REJECTED)).mappings().one()
    assert (kept["event_id"], kept["reason"], kept["received_at"]) == (bad, reason, kst("10:00"))
    assert kept["event"]["label"] == "콕 🍣"
    assert report.rejected == {reason: 1}
    assert store.exists(report.rejects_key)


def test_nothing_landed_yet(warehouse: Engine, ingest: Ingest) -> None:
    report = ingest()
    assert (report.read, report.written) == (0, 0)
    with warehouse.connect() as conn:
        assert conn.execute(select(StepRun.step, StepRun.status)).one() == ("ingest_logs", "done")


def test_an_event_stamped_by_a_broken_clock_holds_up_no_other(warehouse: Engine, ingest: Ingest) -> None:
    found = {
        land(warehouse, kst("10:00", day)): day for day in (date(500, 2, 28), date(1969, 12, 31), date(9998, 1, 1))
    }
    assert ingest().written == 3
    found[land(warehouse, kst("11:00"))] = NOON.date()
    assert ingest().written == 1
    assert facts(warehouse) == found
