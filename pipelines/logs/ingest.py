"""Ingest events from the landing table into the fact table, by the time at which they were received.

Rows stay in ``user_event`` until maintenance deletes old ones: its key makes a repeated delivery harmless.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Engine,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from artifacts.store import Store
from pipelines.load.ledger import lock_warehouse, table_of
from pipelines.report import Report, record
from sql.warehouse import events, steps

STEP = "ingest_logs"
# Tolerance for clocks of clients.
FUTURE = timedelta(days=1)
LONGEST_TYPE = 100

LANDED, FACT = table_of(events.UserEvent), table_of(events.FctUserEvent)
QUARANTINE, STEP_RUN = table_of(events.RejectedEvent), table_of(steps.StepRun)
DAY = cast(func.timezone("Asia/Seoul", LANDED.c.received_at), Date)


def ingest_logs(
    warehouse: Engine, store: Store, start: datetime | None, end: datetime | None, *, now: datetime, grace: timedelta
) -> Report:
    """Ingest the events received in ``[start, end)`` into ``fct_user_event``, invalid ones into ``rejected_event``.

    Without ``start`` it continues where the last run without ``start`` ended. ``end`` is at most ``now - grace``, since
    an event may be stamped and not committed yet; the Report holds the interval that was ingested. Running it again for
    the same interval changes nothing.
    """
    latest = now - grace
    end = min(end or latest, latest)
    begin = start or _last_end(warehouse) or end
    with record(warehouse, store, STEP, interval=(begin, max(begin, end))) as report:
        report.details["continues_last_run"] = start is None
        inside = and_(LANDED.c.received_at >= begin, LANDED.c.received_at < end)
        _make_partitions(warehouse, inside)
        with warehouse.begin() as conn:
            lock_warehouse(conn, STEP)
            report.read = conn.scalar(select(func.count()).select_from(LANDED).where(inside)) or 0
            accepted = _accept(conn, inside)
            for event_id, reason in _quarantine(conn, inside):
                report.reject({"event_id": str(event_id)}, reason, "kept in rejected_event")
        report.written = accepted
        report.unchanged = report.read - accepted - len(report.rejects)
    return report


def _last_end(warehouse: Engine) -> datetime | None:
    """Return where the last run without a start ended, since others may leave a gap; else the oldest event."""
    with warehouse.connect() as conn:
        ended: datetime | None = conn.scalar(
            select(func.max(STEP_RUN.c.interval_end)).where(
                STEP_RUN.c.step == STEP,
                STEP_RUN.c.status == "done",
                STEP_RUN.c.details["continues_last_run"].as_boolean(),
                STEP_RUN.c.interval_end <= STEP_RUN.c.started_at,  # not a run with a later ``now``
            )
        )
        oldest: datetime | None = conn.scalar(select(func.min(LANDED.c.received_at)))
        return ended or oldest


def _make_partitions(warehouse: Engine, inside: ColumnElement[bool]) -> None:
    with warehouse.begin() as conn:
        lock_warehouse(conn, STEP)
        days: Sequence[date] = conn.scalars(select(DAY).distinct().where(inside).order_by(DAY)).all()
        for day in days:
            bounds = {"day": day.isoformat(), "next": (day + timedelta(days=1)).isoformat()}
            conn.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS fct_user_event_{day:%Y%m%d} PARTITION OF fct_user_event "
                    "FOR VALUES FROM ('{day}') TO ('{next}')".format_map(bounds)
                )
            )


def _reason() -> ColumnElement[str | None]:
    """SQL of the reason why an event is invalid; NULL for a valid one."""
    return case(
        (func.btrim(LANDED.c.event_type) == "", literal("event_type is empty", Text)),
        (func.length(LANDED.c.event_type) > LONGEST_TYPE, literal("event_type is too long", Text)),
        (func.jsonb_typeof(LANDED.c.payload) != "object", literal("payload is not an object", Text)),
        (LANDED.c.occurred_at > LANDED.c.received_at + FUTURE, literal("occurred_at is in the future", Text)),
        else_=null(),
    )


def _accept(conn: Connection, inside: ColumnElement[bool]) -> int:
    columns = [column for column in FACT.columns if column.name != "day"]
    good = select(DAY, *(LANDED.c[column.name] for column in columns)).where(inside, _reason().is_(None))
    statement = insert(FACT).from_select(["day", *(column.name for column in columns)], good)
    return conn.execute(statement.on_conflict_do_nothing()).rowcount


def _quarantine(conn: Connection, inside: ColumnElement[bool]) -> Sequence[Any]:
    """Store invalid events whole; returns ids and reasons of those that are new."""
    row = cast(func.to_jsonb(literal_column("user_event")), JSONB)
    bad = select(LANDED.c.event_id, LANDED.c.received_at, _reason(), row).where(inside, _reason().is_not(None))
    statement = insert(QUARANTINE).from_select(["event_id", "received_at", "reason", "event"], bad)
    returning = statement.on_conflict_do_nothing().returning(QUARANTINE.c.event_id, QUARANTINE.c.reason)
    return conn.execute(returning).all()
