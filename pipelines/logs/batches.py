"""One batch of ingestion: events in order, from the landing table into facts or rejected events."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg2.errors import CheckViolation, UniqueViolation
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    and_,
    cast,
    desc,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, Insert, insert
from sqlalchemy.exc import IntegrityError

from pipelines.logs.rules import reason
from pipelines.logs.tables import FACT, LANDED, REJECTED, SHARED, day_of

Place = tuple[Any, UUID]


@dataclass(frozen=True)
class Counts:
    """What became of the events of a batch, which were received on ``days``.

    ``rejected`` holds id and reason of those that are newly rejected.
    """

    read: int
    written: int
    rejected: Sequence[tuple[str, str]]
    days: Collection[date]


def behind(column: Column[Any], place: Place) -> ColumnElement[bool]:
    """Condition of the events after a place, ordered by ``column`` and id."""
    is_behind: ColumnElement[bool] = tuple_(column, LANDED.c.event_id) > _tuple(column, place)
    return is_behind


def after_until(column: Column[Any], after: Place, until: Place) -> ColumnElement[bool]:
    """Condition of the events after one place and up to another, ordered by ``column`` and id.

    PostgreSQL takes two comparisons of tuples for a quarter of the table in its middle, and reads all of it; it knows
    how few rows are between two values of the column.
    """
    return and_(
        column.between(after[0], until[0]),
        behind(column, after),
        tuple_(column, LANDED.c.event_id) <= _tuple(column, until),
    )


def end_of_batch(
    conn: Connection, column: Column[int] | Column[datetime], after: Place, before: object, size: int
) -> Place | None:
    """Return the place of the last of the next ``size`` events between two places, None if there are none."""
    ordered = select(column, LANDED.c.event_id).where(behind(column, after), column < before)
    ordered = ordered.order_by(column, LANDED.c.event_id)
    following = ordered.limit(size).subquery()
    last = select(following).order_by(*(desc(found) for found in following.c)).limit(1)
    row = conn.execute(last).one_or_none()
    return (row[0], row[1]) if row else None


def ingest_batch(
    conn: Connection, inside: ColumnElement[bool], make_partitions: Callable[[Collection[date]], object]
) -> Counts:
    """Store valid events as facts and invalid ones as rejected; those that are stored already stay what they are.

    Batches without known events, whose partitions are there, are the rule. To look for either before would take a
    fifth of the time of a batch, and ``ON CONFLICT`` half as much time again.
    """
    some_are_known = False
    days: Collection[date] = ()
    while True:
        facts = insert(FACT).on_conflict_do_nothing() if some_are_known else insert(FACT)
        try:
            with conn.begin_nested():
                found = _insert(conn, inside, facts)
        except IntegrityError as error:
            if isinstance(error.orig, CheckViolation) and not days:  # PostgreSQL's error where a partition is missing
                days = _days_of(conn, inside)
                make_partitions(days)
            elif isinstance(error.orig, UniqueViolation) and not some_are_known:
                some_are_known = True
            else:
                raise
        else:
            all_are_new = found.read == found.written + len(found.rejected)
            return found if all_are_new else replace(found, days=days or _days_of(conn, inside))


def _days_of(conn: Connection, inside: ColumnElement[bool]) -> list[date]:
    """Return the days on which the events were received."""
    return list(conn.scalars(select(day_of(LANDED.c.received_at)).distinct().where(inside)))


def _insert(conn: Connection, inside: ColumnElement[bool], facts: Insert) -> Counts:
    """Insert the events in one statement: it sees one state of the table. Return the days of those that are new."""
    valid = reason(LANDED).is_(None)
    is_rejected = exists().where(REJECTED.c.event_id == LANDED.c.event_id)
    good = select(day_of(LANDED.c.received_at), *(LANDED.c[name] for name in SHARED)).where(inside, valid, ~is_rejected)
    accepted = facts.from_select(["day", *SHARED], good).returning(FACT.c.day).cte()

    is_fact = exists().where(FACT.c.day == day_of(LANDED.c.received_at), FACT.c.event_id == LANDED.c.event_id)
    row = cast(func.to_jsonb(literal_column(LANDED.name)), JSONB)
    bad = select(LANDED.c.event_id, LANDED.c.received_at, reason(LANDED), row).where(inside, ~valid, ~is_fact)
    rejected = (
        insert(REJECTED)
        .from_select(["event_id", "received_at", "reason", "event"], bad)
        .on_conflict_do_nothing()
        .returning(REJECTED.c.event_id, REJECTED.c.reason, day_of(REJECTED.c.received_at).label("day"))
        .cte()
    )
    read = select(func.count()).select_from(LANDED).where(inside).scalar_subquery()
    written = select(func.count()).select_from(accepted).scalar_subquery()
    pair = func.jsonb_build_array(rejected.c.event_id, rejected.c.reason)
    pairs = func.coalesce(func.jsonb_agg(pair), literal([], JSONB))
    day = union_all(select(accepted.c.day), select(rejected.c.day)).subquery().c.day
    days = select(func.coalesce(func.array_agg(day.distinct()), literal([], ARRAY(Date))))
    found = select(read, written, select(pairs).scalar_subquery(), days.scalar_subquery())
    return Counts(*conn.execute(found).one())


def _tuple(column: Column[Any], place: Place) -> Any:  # noqa: ANN401 - SQLAlchemy's tuples are not typed
    return tuple_(literal(place[0], column.type), literal(place[1], LANDED.c.event_id.type))
