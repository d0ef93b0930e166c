"""Reconciliation of events: what landed is a fact or rejected, day by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    exists,
    func,
    select,
    true,
    union,
    union_all,
)

from artifacts.store import Store
from pipelines.errors import PipelineError
from pipelines.logs.batches import behind
from pipelines.logs.tables import FACT, LANDED, POSITION, REJECTED, bounds_of, day_of
from pipelines.report import Report, record
from sql.warehouse.partitions import partition_days
from ukok.korea import KST

STEP = "reconcile_logs"
SECONDS_PER_HOUR = 3_600


class EventsDiffer(PipelineError):
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

    Events that were received before the last ones that maintenance deleted are not compared.
    """
    # One state of the database for all days: maintenance may be deleting landed events meanwhile.
    with warehouse.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        since = _landed_since(conn)
        checked = [day for day in sorted(set(days)) if bounds_of(day)[1] > since]
        different = [counts for day in checked if not (counts := count_day(conn, day, since)).agrees]
        report.details["reconciled_days"] = len(checked)
        if different:
            raise EventsDiffer("; ".join(_describe(conn, counts, since) for counts in different))


def reconcile_all(warehouse: Engine, store: Store) -> Report:
    """Compare the counts of every day; see :func:`reconcile`."""
    with record(warehouse, store, STEP) as report:
        with warehouse.connect() as conn:
            received = union(*(select(day_of(table.c.received_at)) for table in (LANDED, REJECTED)))
            days = [*conn.scalars(received), *partition_days(conn)]
        reconcile(warehouse, days, report)
    return report


def usual_days(warehouse: Engine, now: datetime) -> set[date]:
    """Return the days that each run checks: today, yesterday, and in turn one of those before, each hour another."""
    today = now.astimezone(KST).date()
    days = {today, today - timedelta(days=1)}
    with warehouse.connect() as conn:
        since = _landed_since(conn)
        earlier = [day for day in partition_days(conn) if day < min(days) and bounds_of(day)[1] > since]
    if earlier:
        days.add(earlier[int(now.timestamp()) // SECONDS_PER_HOUR % len(earlier)])
    return days


def count_day(conn: Connection, day: date, since: datetime) -> DayCounts:
    """Count the events of a day from ``since`` on, in one statement: it sees one state of all tables."""
    landed = _landed(day, since)
    counted = (
        _count(landed),
        _count(landed.where(_may_wait(conn), ~_is_fact(day), ~_is_rejected())),
        _count(_facts(day, since)),
        _count(_rejected(day, since)),
    )
    return DayCounts(day, *conn.execute(select(*counted)).one())


def _describe(conn: Connection, counts: DayCounts, since: datetime) -> str:
    start, end = bounds_of(counts.day)
    missing = _example(conn, _landed(counts.day, since).where(~_may_wait(conn), ~_is_fact(counts.day), ~_is_rejected()))
    ingested = union_all(_facts(counts.day, since), _rejected(counts.day, since)).subquery()
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


def _landed(day: date, since: datetime) -> Select[tuple[UUID]]:
    return select(LANDED.c.event_id).where(_received(LANDED.c.received_at, day, since))


def _facts(day: date, since: datetime) -> Select[tuple[UUID]]:
    return select(FACT.c.event_id).where(FACT.c.day == day, FACT.c.received_at >= since)


def _rejected(day: date, since: datetime) -> Select[tuple[UUID]]:
    return select(REJECTED.c.event_id).where(_received(REJECTED.c.received_at, day, since))


def _received(column: ColumnElement[datetime], day: date, since: datetime) -> ColumnElement[bool]:
    start, end = bounds_of(day)
    return and_(column >= max(start, since), column < end)


def _may_wait(conn: Connection) -> ColumnElement[bool]:
    """Condition of events that ingestion may not have reached: those behind the position, all in a pass over all.

    The position is a constant, so that an index finds these few. If it moves meanwhile, what waited are facts.
    """
    position = select(POSITION.c.transaction_id, POSITION.c.event_id).where(POSITION.c.resume_at.is_(None))
    row = conn.execute(position).one_or_none()
    return behind(LANDED.c.transaction_id, (row[0], row[1])) if row else true()


def _is_fact(day: date) -> ColumnElement[bool]:
    return exists().where(FACT.c.day == day, FACT.c.event_id == LANDED.c.event_id)


def _is_rejected() -> ColumnElement[bool]:
    return exists().where(REJECTED.c.event_id == LANDED.c.event_id)


def _count(events: Select[tuple[UUID]]) -> ColumnElement[int]:
    return select(func.count()).select_from(events.subquery()).scalar_subquery()


def _landed_since(conn: Connection) -> datetime:
    """Return the instant from which on maintenance has deleted no landed event."""
    since: datetime | None = conn.scalar(select(POSITION.c.landed_since))
    return since or datetime.min.replace(tzinfo=UTC)
