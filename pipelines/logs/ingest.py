"""Ingest events from the landing table into the fact table.

Rows stay in ``user_event`` until maintenance deletes old ones: its key makes a repeated delivery harmless.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import structlog
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.load.ledger import lock_warehouse
from pipelines.logs.batches import Counts, Place, after_until, end_of_batch, ingest_batch
from pipelines.logs.position import (
    FIRST_ID,
    check_waiting,
    describe_waiting,
    end_of_run,
    end_pass,
    read_position,
    read_transactions,
    save_position,
)
from pipelines.logs.reconcile import reconcile, usual_days
from pipelines.logs.tables import LANDED
from pipelines.report import Report, record
from sql.warehouse.partitions import days_ahead, make_partitions
from ukok.korea import KST

log = structlog.get_logger(__name__)

STEP = "ingest_logs"
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
# Events of a transaction; a run that is killed repeats at most one.
BATCH = 100_000


class WrongInterval(ValueError):
    """The interval has no start, ends before it starts, or an instant of it is out of range."""


def ingest_logs(
    warehouse: Engine,
    store: Store,
    start: datetime | None,
    end: datetime | None,
    *,
    now: datetime,
    batch: int = BATCH,
) -> Report:
    """Ingest events into ``fct_user_event``, invalid ones into ``rejected_event``, then count whether all are there.

    Without an interval these are the events that were committed since the last such run. With one they are all events
    received in ``[start, end)``, ``end`` by default ``now``; the next run without an interval goes on as if nothing had
    happened. Events are ingested by transactions of ``batch``; running it again changes nothing.

    Raises after ingestion :class:`~pipelines.logs.reconcile.EventsDiffer` if events are missing, and without an
    interval :class:`~pipelines.logs.position.EventsWait` if some have waited too long for a running transaction.
    """
    interval = _interval(start, end, now)
    with record(warehouse, store, STEP, interval=interval) as report:
        batches = (
            _batches_of(warehouse, *interval, now, batch) if interval else _new_batches(warehouse, report, now, batch)
        )
        days = _add_up(batches, report)
        today = now.astimezone(KST).date()
        make_partitions(warehouse, days_ahead(today))
        reconcile(warehouse, days | usual_days(warehouse, now), report)
        if interval is None:
            with warehouse.connect() as conn:
                check_waiting(conn, now)
    return report


def check_order(start: datetime | None, end: datetime | None) -> None:
    """Raise :class:`WrongInterval` unless the end is after the start; either may be missing.

    Instants near the first and last year have no time in another zone.
    """
    for instant in filter(None, (start, end)):
        if not FIRST <= instant <= LAST:
            raise WrongInterval(f"{instant.isoformat()} is out of range: choose a time from {FIRST:%Y} to {LAST:%Y}")
    if start and end and end <= start:
        raise WrongInterval(f"the end {end.isoformat()} is not after the start {start.isoformat()}")


def _interval(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    if start is None:
        if end is None:
            return None
        raise WrongInterval(f"the end {end.isoformat()} has no start: give both, or neither to ingest what is new")
    check_order(start, end or now)
    return start, end or now


def _add_up(batches: Iterable[Counts], report: Report) -> set[date]:
    """Add the counts of every batch to the report; return the days of their events."""
    days: set[date] = set()
    for number, counts in enumerate(batches, start=1):
        days.update(counts.days)
        report.read += counts.read
        report.written += counts.written
        report.unchanged += counts.read - counts.written - len(counts.rejected)
        for event_id, reason in counts.rejected:
            report.reject({"event_id": event_id}, reason, "kept in rejected_event")
        log.info("batch done", batch=number, read=report.read, written=report.written)
    return days


def _new_batches(warehouse: Engine, report: Report, now: datetime, size: int) -> Iterator[Counts]:
    """Ingest what was committed since the last run, batch by batch, and move the position with each."""
    with warehouse.connect() as conn:
        transactions = read_transactions(conn)
        report.details |= describe_waiting(conn, transactions)
    before: int | None = None
    while True:
        with warehouse.begin() as conn:
            lock_warehouse(conn, STEP)
            # Read anew: another run may have moved the position beyond the transactions of this run's start.
            position = read_position(conn, read_transactions(conn))
            if before is None:
                before = end_of_run(conn, position, transactions)
            after: Place = (position.transaction_id, position.event_id)
            column = LANDED.c.transaction_id
            until = end_of_batch(conn, column, after, before, size)
            if until is None:
                save_position(conn, end_pass(position), now)
                return
            counts = ingest_batch(conn, after_until(column, after, until), partial(make_partitions, warehouse))
            save_position(conn, replace(position, transaction_id=until[0], event_id=until[1]), now)
        yield counts


def _batches_of(warehouse: Engine, start: datetime, end: datetime, now: datetime, size: int) -> Iterator[Counts]:
    """Ingest the events received in ``[start, end)``, batch by batch."""
    with warehouse.begin() as conn:
        lock_warehouse(conn, STEP)
        # The row is there from the first run on, since maintenance adds to it.
        save_position(conn, read_position(conn, read_transactions(conn)), now)
    column = LANDED.c.received_at
    # The first id that there can be: no event has it, so an event at the start itself is after this place.
    after: Place = (start, FIRST_ID)
    while True:
        with warehouse.begin() as conn:
            lock_warehouse(conn, STEP)
            until = end_of_batch(conn, column, after, end, size)
            if until is None:
                return
            counts = ingest_batch(conn, after_until(column, after, until), partial(make_partitions, warehouse))
        after = until
        yield counts
