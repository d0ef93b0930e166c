"""Reconciliation of events: what landed is a fact or rejected, day by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from artifacts.store import Store
from pipelines.logs.tables import FACT, LANDED, POSITION, REJECTED, bounds_of
from pipelines.report import Report, record
from ukok.korea import KST

STEP = "reconcile_logs"
SECONDS_PER_HOUR = 3_600


class EventsDiffer(RuntimeError):
    """On some days, what landed is not what was ingested; the message has the counts and examples."""


@dataclass(frozen=True)
class DayCounts:
    """Events of a day by table; ``waiting`` are those that landed and are not ingested yet."""

    day: date
    landed: int
    waiting: int
    facts: int
    rejected: int

    @property
    def agrees(self) -> bool:
        """Whether every event that landed and does not wait is a fact or rejected."""
        return self.landed - self.waiting == self.facts + self.rejected


def reconcile(warehouse: Engine, days: Iterable[date], report: Report) -> None:
    """Compare the counts of ``days``; raise :class:`EventsDiffer` with those that differ and an example of each.

    Days from which maintenance has deleted landed events are compared from the oldest that is left on.
    """
    with warehouse.connect() as conn:
        oldest = _oldest(conn)
        if oldest is None:
            return
        checked = [day for day in sorted(set(days)) if day >= oldest.astimezone(KST).date()]
        different = [counts for day in checked if not (counts := count_day(conn, day, oldest)).agrees]
        report.details["reconciled_days"] = len(checked)
        if different:
            raise EventsDiffer("; ".join(_describe(conn, counts, oldest) for counts in different))


def reconcile_all(warehouse: Engine, store: Store, *, now: datetime) -> Report:
    """Compare the counts of every day whose landed events are still there; see :func:`reconcile`."""
    with record(warehouse, store, STEP) as report:
        with warehouse.connect() as conn:
            oldest = _oldest(conn) or now
        today, first = (moment.astimezone(KST).date() for moment in (now, oldest))
        reconcile(warehouse, (first + timedelta(days=days) for days in range((today - first).days + 1)), report)
    return report


def usual_days(warehouse: Engine, now: datetime) -> set[date]:
    """Return the days that each run checks: today, yesterday, and in turn one of the days before, each hour another."""
    today = now.astimezone(KST).date()
    with warehouse.connect() as conn:
        oldest = _oldest(conn)
    days = {today, today - timedelta(days=1)}
    if oldest is not None and (kept := (today - oldest.astimezone(KST).date()).days) > 0:
        hour = int(now.timestamp()) // SECONDS_PER_HOUR
        days.add(today - timedelta(days=1 + hour % kept))
    return days


def count_day(conn: Connection, day: date, oldest: datetime) -> DayCounts:
    """Count the events of a day from ``oldest`` on, in one statement: it sees one state of all tables."""
    landed = _landed(day, oldest)
    counted = (
        _count(landed),
        _count(landed.where(_may_wait(), ~_is_fact(day), ~_is_rejected())),
        _count(_facts(day, oldest)),
        _count(_rejected(day, oldest)),
    )
    return DayCounts(day, *conn.execute(select(*counted)).one())


def _describe(conn: Connection, counts: DayCounts, oldest: datetime) -> str:
    start, end = bounds_of(counts.day)
    missing = _example(conn, _landed(counts.day, oldest).where(~_may_wait(), ~_is_fact(counts.day), ~_is_rejected()))
    ingested = union_all(_facts(counts.day, oldest), _rejected(counts.day, oldest)).subquery()
    landed = exists().where(LANDED.c.event_id == ingested.c.event_id)
    extra = _example(conn, select(ingested.c.event_id).where(~landed))
    text = (
        f"{counts.day}: {counts.landed} landed ({counts.waiting} wait), but {counts.facts} are in fct_user_event and "
        f"{counts.rejected} in rejected_event"
    )
    if missing:
        text += (
            f"; {missing[0]} that landed are in neither, e.g. {missing[1]}: ingest them by `ukok logs ingest --start "
            f"{start.isoformat(timespec='minutes')} --end {end.isoformat(timespec='minutes')}`"
        )
    if extra:
        text += f"; {extra[0]} have lost their row in user_event, e.g. {extra[1]}: restore the rows from a backup"
    return text


def _example(conn: Connection, events: Select[tuple[UUID]]) -> tuple[int, UUID] | None:
    """Return the number of events and the id of one, None if there are none."""
    found = events.subquery()
    number = conn.scalar(select(func.count()).select_from(found)) or 0
    example = conn.scalar(select(found.c.event_id).limit(1))
    return (number, example) if example else None


def _landed(day: date, oldest: datetime) -> Select[tuple[UUID]]:
    return select(LANDED.c.event_id).where(_received(LANDED.c.received_at, day, oldest))


def _facts(day: date, oldest: datetime) -> Select[tuple[UUID]]:
    return select(FACT.c.event_id).where(FACT.c.day == day, FACT.c.received_at >= oldest)


def _rejected(day: date, oldest: datetime) -> Select[tuple[UUID]]:
    return select(REJECTED.c.event_id).where(_received(REJECTED.c.received_at, day, oldest))


def _received(column: ColumnElement[datetime], day: date, oldest: datetime) -> ColumnElement[bool]:
    start, end = bounds_of(day)
    return and_(column >= max(start, oldest), column < end)


def _may_wait() -> ColumnElement[bool]:
    """Whether ingestion may not have reached an event: it is behind the position, or a pass over all is under way."""
    place, position = (tuple_(table.c.transaction_id, table.c.event_id) for table in (LANDED, POSITION))
    is_ahead = exists().where(or_(place > position, POSITION.c.resume_at.is_not(None)))
    return or_(is_ahead, ~exists(select(literal(1)).select_from(POSITION)))


def _is_fact(day: date) -> ColumnElement[bool]:
    return exists().where(FACT.c.day == day, FACT.c.event_id == LANDED.c.event_id)


def _is_rejected() -> ColumnElement[bool]:
    return exists().where(REJECTED.c.event_id == LANDED.c.event_id)


def _count(events: Select[tuple[UUID]]) -> ColumnElement[int]:
    return select(func.count()).select_from(events.subquery()).scalar_subquery()


def _oldest(conn: Connection) -> datetime | None:
    oldest: datetime | None = conn.scalar(select(func.min(LANDED.c.received_at)))
    return oldest
