"""Event writer: shared commits, bounds, refusals and problems."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, Row, make_url, select, text

from serving.runtime.event_writer import Event, EventIdTaken, EventRefused, EventWriter, WriterLimits
from serving.web.errors import Unavailable
from serving.web.metrics import Metrics
from sql.engines import warehouse_engine
from sql.warehouse.events import UserEvent
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import Stack
from tests.serving.conftest import Now

# Text that JSON can hold and PostgreSQL cannot.
UNSTORABLE = '{"text": "\\u0000"}'


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def events(warehouse: Engine, now: Now, metrics: Metrics) -> Iterator[EventWriter]:
    """A writer that neither checks the warehouse again nor gives up while a test holds a lock."""
    limits = WriterLimits(check_seconds=60.0, statement_seconds=60.0, answer_seconds=60.0)
    with running(warehouse, now, metrics, limits) as events:
        yield events


@contextmanager
def running(
    warehouse: Engine, clock: Callable[[], datetime], metrics: Metrics, limits: WriterLimits = WriterLimits()
) -> Iterator[EventWriter]:
    events = EventWriter(warehouse, clock, metrics, limits)
    events.start()
    try:
        yield events
    finally:
        events.stop()


@contextmanager
def locked(warehouse: Engine) -> Iterator[None]:
    """Lock the table, so that nothing is stored until the block ends."""
    with warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        yield


def is_writing(warehouse: Engine) -> bool:
    """Whether a commit waits for the lock, so that later events share the next one."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'COPY user_event%' AND wait_event_type = 'Lock'
    """
    with warehouse.connect() as conn:
        return bool(conn.scalar(text(query)))


def event(name: str, user_id: int | None = 1, **fields: Any) -> Event:
    return Event(**({"event_id": str(uuid4()), "user_id": user_id, "event_type": name} | fields))


def write(events: EventWriter, *written: Event) -> None:
    asyncio.run(events.write(written))


def rows(warehouse: Engine) -> list[Row[Any]]:
    with warehouse.connect() as conn:
        return list(conn.execute(select(UserEvent.__table__).order_by(UserEvent.event_type)))


def stored(warehouse: Engine) -> list[str]:
    return [row.event_type for row in rows(warehouse)]


def dropped(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("ukok_events_dropped_total")


def test_an_event_that_cannot_be_stored_is_refused_alone(events: EventWriter, warehouse: Engine) -> None:
    with ThreadPoolExecutor(4) as pool, locked(warehouse):
        first = pool.submit(write, events, event("first"))
        until(lambda: is_writing(warehouse), "the first event waits for the lock")
        good = [pool.submit(write, events, event(name)) for name in ("good", "good too")]
        bad = pool.submit(write, events, event("bad", payload=UNSTORABLE), event("beside the bad one"))
        until(lambda: events.waiting == 4, "the others wait for one commit")
    for answer in (first, *good):
        answer.result()
    with pytest.raises(EventRefused):
        bad.result()
    assert stored(warehouse) == ["first", "good", "good too"]
    assert events.problem is None


def test_stored_event_id_is_refused_to_other_authors_only(events: EventWriter, warehouse: Engine) -> None:
    by_user = event("by a user", user_id=1, session_id="s-1")
    by_session = event("by a session", user_id=None, session_id="s-1")
    write(events, by_user, by_session)
    mine = [by_user, by_user._replace(session_id="s-2"), by_session]
    foreign = [
        by_user._replace(user_id=2),
        by_user._replace(user_id=None),
        by_session._replace(user_id=1),
        by_session._replace(session_id="s-2"),
    ]
    for again in mine:
        write(events, again)
    for other in foreign:
        with pytest.raises(EventIdTaken, match=other.event_id):
            write(events, other)
        with pytest.raises(EventIdTaken):
            write(events, event("beside a foreign id"), other)
    with ThreadPoolExecutor(20) as pool, locked(warehouse):
        first = pool.submit(write, events, event("first"))
        until(lambda: is_writing(warehouse), "the first event waits for the lock")
        good = [pool.submit(write, events, one) for one in [*mine, event("good")]]
        bad = [pool.submit(write, events, event("beside a foreign id"), other) for other in foreign]
        until(lambda: events.waiting == 12, "the others wait for one commit")
    for answer in (first, *good):
        answer.result()
    for answer in bad:
        with pytest.raises(EventIdTaken):
            answer.result()
    assert stored(warehouse) == ["by a session", "by a user", "first", "good"]
    assert [(row.user_id, row.session_id) for row in rows(warehouse)[:2]] == [(None, "s-1"), (1, "s-1")]
    assert events.problem is None


def test_concurrent_events_with_one_id_of_two_users_refuse_one(events: EventWriter, warehouse: Engine) -> None:
    one = event("same id", user_id=1)
    with ThreadPoolExecutor(5) as pool, locked(warehouse):
        first = pool.submit(write, events, event("first"))
        until(lambda: is_writing(warehouse), "the first event waits for the lock")
        answers = [pool.submit(write, events, one._replace(user_id=user_id)) for user_id in (1, 2, 1, 2)]
        until(lambda: events.waiting == 4, "all wait for one commit")
    first.result()
    (row,) = (row for row in rows(warehouse) if row.event_type == "same id")
    refused = [isinstance(answer.exception(), EventIdTaken) for answer in answers]
    assert refused == [row.user_id != user_id for user_id in (1, 2, 1, 2)]


def test_slow_commit_is_aborted_and_stores_nothing(
    events: EventWriter, warehouse: Engine, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.limits = replace(events.limits, statement_seconds=0.1)
    with locked(warehouse):
        with pytest.raises(Unavailable, match=r"could not be stored$"):
            write(events, event("late"))
        assert events.problem == "the database is busy with another transaction"
        with pytest.raises(Unavailable, match="right now"):
            write(events, event("later"))
        assert dropped(metrics) == 0
        events.record_event(event("noted"))
        assert dropped(metrics) == 1
    events.stop()
    assert stored(warehouse) == []


def test_late_commit_is_answered_as_unavailable(events: EventWriter, warehouse: Engine) -> None:
    events.limits = replace(events.limits, answer_seconds=0.1)
    with locked(warehouse), pytest.raises(Unavailable, match="in time"):
        write(events, event("x"))
    until(lambda: stored(warehouse) == ["x"], "it is stored all the same")
    assert events.problem is None, "that nobody waits any more is no problem"


def test_recorded_events_leave_room_for_requests_and_count_drops(
    events: EventWriter, warehouse: Engine, metrics: Metrics
) -> None:
    events.limits = replace(events.limits, max_waiting=5, max_recorded_waiting=3)
    with ThreadPoolExecutor(3) as pool, locked(warehouse):
        answers = [pool.submit(write, events, event("event"))]
        until(lambda: is_writing(warehouse), "the first event waits for the lock")
        for _ in range(5):
            events.record_event(event("note"))
        assert (events.waiting, dropped(metrics)) == (3, 2)
        answers += [pool.submit(write, events, event("event")) for _ in range(2)]
        until(lambda: events.waiting == 5, "the events found room")
        with pytest.raises(Unavailable, match="too many"):
            write(events, event("event"))
    for answer in answers:
        answer.result()
    assert stored(warehouse) == ["event"] * 3 + ["note"] * 3


def test_recorded_events_that_fail_to_commit_are_counted(
    events: EventWriter, warehouse: Engine, metrics: Metrics
) -> None:
    events.record_event(event("unstorable", payload=UNSTORABLE))
    until(lambda: dropped(metrics) == 1, "the note that was refused is counted")
    events.limits = replace(events.limits, statement_seconds=0.1)
    with locked(warehouse):
        events.record_event(event("late"))
        until(lambda: dropped(metrics) == 2, "the note that came too late is counted")
    assert stored(warehouse) == []


def test_batch_larger_than_the_queue_is_accepted_when_it_is_empty(events: EventWriter, warehouse: Engine) -> None:
    events.limits = replace(events.limits, max_waiting=2)
    write(events, *(event(f"n{n}") for n in range(5)))
    assert stored(warehouse) == [f"n{n}" for n in range(5)]


def test_unexpected_error_is_reported_and_the_writer_goes_on(warehouse: Engine, metrics: Metrics) -> None:
    broken = True

    def clock() -> datetime:
        if broken:
            raise RuntimeError("no time")
        return NOON

    with running(warehouse, clock, metrics, WriterLimits(check_seconds=0.05)) as events:
        with pytest.raises(Unavailable, match=r"could not be stored$"):
            write(events, event("unlucky"))
        broken = False
        until(lambda: events.problem is None, "the next look finds nothing wrong")
        write(events, event("lucky"))
    assert stored(warehouse) == ["lucky"]


def test_silent_database_is_a_problem_and_new_events_are_refused(events: EventWriter, warehouse: Engine) -> None:
    events.limits = replace(events.limits, silent_seconds=0.1)
    with ThreadPoolExecutor(1) as pool, locked(warehouse):
        first = pool.submit(write, events, event("first"))
        until(lambda: events.problem == "the database does not answer", "the silence is noticed")
        with pytest.raises(Unavailable, match="right now"):
            write(events, event("second"))
    first.result()
    until(lambda: events.problem is None, "it answers again")
    assert stored(warehouse) == ["first"]


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("default_transaction_read_only=on", "the database takes no writes"),
        ("role=pg_read_all_data", "the database denies its user a statement"),
    ],
)
def test_read_only_warehouse_is_a_problem(
    stack: Stack, warehouse: Engine, now: Now, metrics: Metrics, setting: str, problem: str
) -> None:
    url = make_url(stack.warehouse_url).update_query_dict({"options": f"-c {setting}"})
    readable = warehouse_engine(url.render_as_string(hide_password=False))
    with running(readable, now, metrics) as events:
        assert events.problem == problem
    readable.dispose()
