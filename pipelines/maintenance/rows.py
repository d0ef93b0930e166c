"""Old rows of the warehouse: events of the landing table that are ingested, and reports of steps."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from pipelines.load.ledger import table_of
from pipelines.logs.tables import FACT, LANDED, POSITION, REJECTED, day_of
from pipelines.maintenance.garbage import Findings, Garbage
from sql.warehouse.steps import StepRun

STEP_RUN = table_of(StepRun)
ROWS_PER_TRANSACTION: Final = 20_000


def find_events(warehouse: Engine, before: datetime) -> Findings:
    """Landed events that were received before an instant and are in the fact table or in the quarantine.

    An event that is in neither stays, with all that were received after it. ``ingest_position`` then says from when on
    none was deleted, since reconciliation compares the tables from then on; before its row exists, nothing is deleted.
    """
    with warehouse.connect() as conn:
        if conn.scalar(select(func.count()).select_from(POSITION)) == 0:
            return Findings(0, [], {"nothing is deleted before the first ingestion": True})
        old = LANDED.c.received_at < before
        oldest_waiting = conn.scalar(select(func.min(LANDED.c.received_at)).where(old, ~_proven()))
        examined = conn.scalar(select(func.count()).select_from(LANDED).where(old)) or 0
        end = min(before, oldest_waiting or before)
        count = conn.scalar(select(func.count()).select_from(LANDED).where(LANDED.c.received_at < end)) or 0
    waiting = {"kept since an older event is not ingested": examined - count} if oldest_waiting else {}
    name = f"user_event received before {end:%Y-%m-%d %H:%M}"
    garbage = [Garbage(name, count, 0, partial(_delete_events, warehouse, end))] if count else []
    return Findings(examined, garbage, waiting)


def find_step_runs(warehouse: Engine, before: datetime) -> Findings:
    """Reports of steps from before an instant, but for the last one of each step and status."""
    kept = _kept_step_runs()
    old = [STEP_RUN.c.started_at < before, STEP_RUN.c.status != "running", STEP_RUN.c.run_id.not_in(kept)]
    with warehouse.connect() as conn:
        examined = conn.scalar(select(func.count()).select_from(STEP_RUN)) or 0
        count = conn.scalar(select(func.count()).select_from(STEP_RUN).where(*old)) or 0
    name = f"step_run before {before:%Y-%m-%d}"
    remove = partial(_delete_step_runs, warehouse, old)
    return Findings(examined, [Garbage(name, count, 0, remove)] if count else [])


def _kept_step_runs() -> Select[tuple[str]]:
    """Ids of the last run of each step and status."""
    kind = (STEP_RUN.c.step, STEP_RUN.c.status)
    return select(STEP_RUN.c.run_id).ext(distinct_on(*kind)).order_by(*kind, STEP_RUN.c.started_at.desc())


def _proven() -> ColumnElement[bool]:
    """Whether an event is in the fact table, on its day, or in the quarantine."""
    fact = exists().where(FACT.c.day == day_of(LANDED.c.received_at), FACT.c.event_id == LANDED.c.event_id)
    return or_(fact, exists().where(REJECTED.c.event_id == LANDED.c.event_id))


def _delete_events(warehouse: Engine, end: datetime) -> None:
    """Delete the oldest first, in short transactions, each of which stays if the next is killed."""
    until: datetime | None = None
    while until != end:
        with warehouse.begin() as conn:
            until = _end_of_batch(conn, until, end)
            conn.execute(delete(LANDED).where(LANDED.c.received_at < until, _proven()))
            conn.execute(update(POSITION).values(landed_since=func.greatest(POSITION.c.landed_since, until)))
    _vacuum(warehouse, LANDED.name)


def _end_of_batch(conn: Connection, start: datetime | None, end: datetime) -> datetime:
    """Instant before which there are some ``ROWS_PER_TRANSACTION`` events; all of one instant are in one batch.

    Events from before ``start`` are not counted: those that are left there landed meanwhile, and are not ingested yet.
    """
    times = select(LANDED.c.received_at).where(LANDED.c.received_at < end).order_by(LANDED.c.received_at)
    if start is not None:
        times = times.where(LANDED.c.received_at >= start)
    oldest: datetime | None = conn.scalar(times.limit(1))
    after: datetime | None = conn.scalar(times.offset(ROWS_PER_TRANSACTION).limit(1))
    if oldest is None or after is None:
        return end
    return min(end, max(after, oldest + timedelta(microseconds=1)))


def _delete_step_runs(warehouse: Engine, old: list[ColumnElement[bool]]) -> None:
    with warehouse.begin() as conn:
        conn.execute(delete(STEP_RUN).where(*old))
    _vacuum(warehouse, STEP_RUN.name)


def _vacuum(warehouse: Engine, table: str) -> None:
    """Free the space for new rows. Autovacuum would wait until a fifth of the table is gone. Blocks no reader."""
    with warehouse.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"VACUUM (ANALYZE) {table}"))
