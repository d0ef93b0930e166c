"""Try rejected events again, after a correction of the rules by which they were rejected."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, column, delete, desc, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import insert

from artifacts.store import Store
from pipelines.load.ledger import lock_warehouse
from pipelines.logs.ingest import BATCH, STEP, check_order
from pipelines.logs.position import FIRST_ID
from pipelines.logs.rules import reason
from pipelines.logs.tables import FACT, LANDED, REJECTED, SHARED, day_of
from pipelines.report import Report, record
from sql.warehouse.partitions import make_partitions

REPLAY_STEP = "replay_logs"
# A rejected event as a row of the landing table.
_AS_ROW = func.jsonb_populate_record(literal_column(f"NULL::{LANDED.name}"), REJECTED.c.event)
EVENT = _AS_ROW.table_valued(*(column(name, LANDED.c[name].type) for name in SHARED), name="replayed")
SOURCE = REJECTED.join(EVENT, true())


def replay_logs(
    warehouse: Engine,
    store: Store,
    start: datetime | None,
    end: datetime | None,
    *,
    only_reason: str | None = None,
    batch: int = BATCH,
) -> Report:
    """Move the rejected events that are valid now into ``fct_user_event``; the others stay as they are.

    ``start`` and ``end`` bound when they were received, ``only_reason`` is the reason for which they were rejected.
    Running it again changes nothing. The Report counts the events tried as read, those moved as written.
    """
    check_order(start, end)
    wanted = _wanted(start, end, only_reason)
    with record(warehouse, store, REPLAY_STEP, interval=(start, end) if start and end else None) as report:
        after: UUID | None = FIRST_ID
        while after is not None:
            with warehouse.begin() as conn:
                lock_warehouse(conn, STEP)
                after = _replay_batch(warehouse, conn, and_(wanted, REJECTED.c.event_id > after), batch, report)
        report.unchanged = report.read - report.written
    return report


def _wanted(start: datetime | None, end: datetime | None, only_reason: str | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if start:
        conditions.append(REJECTED.c.received_at >= start)
    if end:
        conditions.append(REJECTED.c.received_at < end)
    if only_reason:
        conditions.append(REJECTED.c.reason == only_reason)
    return and_(*conditions)


def _replay_batch(
    warehouse: Engine, conn: Connection, wanted: ColumnElement[bool], size: int, report: Report
) -> UUID | None:
    """Replay the next ``size`` events; return the id of the last one, None without any."""
    batch = select(REJECTED.c.event_id).where(wanted).order_by(REJECTED.c.event_id).limit(size).subquery()
    last: UUID | None = conn.scalar(select(batch.c.event_id).order_by(desc(batch.c.event_id)).limit(1))
    if last is None:
        return None
    inside = and_(wanted, REJECTED.c.event_id <= last)
    valid = and_(inside, reason(EVENT).is_(None))
    days = select(day_of(EVENT.c.received_at)).distinct().select_from(SOURCE).where(valid)
    make_partitions(warehouse, conn.scalars(days).all())
    report.read += conn.scalar(select(func.count()).select_from(REJECTED).where(inside)) or 0
    report.written += _move(conn, valid)
    return last


def _move(conn: Connection, valid: ColumnElement[bool]) -> int:
    columns = [day_of(EVENT.c.received_at).label("day"), *(EVENT.c[name] for name in SHARED)]
    events = select(*columns).select_from(SOURCE).where(valid).subquery()
    is_moved = REJECTED.c.event_id == events.c.event_id
    moved = delete(REJECTED).where(is_moved).returning(*events.c).cte()
    statement = insert(FACT).from_select(["day", *SHARED], select(moved))
    return conn.execute(statement.on_conflict_do_nothing()).rowcount
