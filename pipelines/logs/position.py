"""Position of ingestion, in the order in which PostgreSQL numbers transactions.

An event carries the number of the transaction that stored it. Every transaction below :attr:`Transactions.settled` has
ended, so that nothing appears behind the position later, whatever the clocks say and however long a commit takes
(the pattern is known as transactional outbox). Numbers mean nothing in another cluster, into which a backup may be
restored: there, one pass over all events comes first.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Connection, func, insert, select, text, update

from pipelines.errors import PipelineError
from pipelines.logs.tables import LANDED, POSITION

log = structlog.get_logger(__name__)

FIRST_ID = UUID(int=0)
# An event that waits for longer waits for a transaction that somebody has forgotten.
LONGEST_WAIT = timedelta(hours=1)

# Only transactions of this database can store events. Those that cannot be found are taken for such ones.
_TRANSACTIONS = text(
    """
    WITH snapshot AS (SELECT pg_current_snapshot() AS taken),
    running AS (SELECT pg_snapshot_xip(taken) AS id FROM snapshot),
    elsewhere AS (
        SELECT backend_xid AS id FROM pg_stat_activity
        WHERE backend_xid IS NOT NULL AND datname IS DISTINCT FROM current_database()
        UNION ALL
        SELECT transaction FROM pg_prepared_xacts WHERE database <> current_database()
    )
    SELECT
        (SELECT system_identifier FROM pg_control_system()) AS cluster_id,
        pg_snapshot_xmax(taken)::text::bigint AS next,
        coalesce(
            (SELECT min(id::text::bigint) FROM running WHERE id::xid NOT IN (SELECT id FROM elsewhere)),
            pg_snapshot_xmax(taken)::text::bigint
        ) AS settled
    FROM snapshot
    """
)
_OLDEST = text(
    """
    SELECT format('process %s (%s, %s) since %s', pid, coalesce(nullif(application_name, ''), 'unnamed'), state,
        xact_start)
    FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL
    SELECT format('prepared transaction %s since %s', gid, prepared) FROM pg_prepared_xacts
    WHERE database = current_database()
    """
)


class EventsWait(PipelineError):
    """Events cannot be ingested for a transaction that does not end; the message names its process."""


@dataclass(frozen=True)
class Transactions:
    """Cluster and numbers of transactions at one moment; every transaction below ``settled`` has ended."""

    cluster_id: int
    settled: int
    next: int


@dataclass(frozen=True)
class Position:
    """The last event that was ingested; ``resume_at`` is where to go on after a pass over all events."""

    cluster_id: int
    transaction_id: int
    event_id: UUID
    resume_at: int | None


def read_transactions(conn: Connection) -> Transactions:
    """Read which transactions have ended; ``conn`` must not have stored anything."""
    return Transactions(**conn.execute(_TRANSACTIONS).mappings().one())


def read_position(conn: Connection, transactions: Transactions) -> Position:
    """Return where to go on: with a pass over all events at first, in another cluster, and in one that was set back."""
    row = conn.execute(
        select(POSITION.c.cluster_id, POSITION.c.transaction_id, POSITION.c.event_id, POSITION.c.resume_at)
    ).one_or_none()
    position = Position(*row) if row else None
    if position is None or position.cluster_id != transactions.cluster_id or _is_ahead(position, transactions):
        return Position(transactions.cluster_id, 0, FIRST_ID, resume_at=transactions.settled)
    return position


def save_position(conn: Connection, position: Position, now: datetime) -> None:
    """Move the position, in the transaction that ingests the events before it."""
    values = asdict(position) | {"moved_at": now}
    if conn.execute(update(POSITION).values(values)).rowcount == 0:
        conn.execute(insert(POSITION).values(values))


def end_pass(position: Position) -> Position:
    """Return the position after a pass over all events."""
    if position.resume_at is None:
        return position
    return replace(position, transaction_id=position.resume_at, event_id=FIRST_ID, resume_at=None)


def end_of_run(conn: Connection, position: Position, transactions: Transactions) -> int:
    """Return the transaction before which a run ends: behind every event that is there, in a pass over all."""
    if position.resume_at is None:
        return transactions.settled
    newest: int | None = conn.scalar(select(func.max(LANDED.c.transaction_id)))
    return max(newest or 0, position.transaction_id) + 1


def describe_waiting(conn: Connection, transactions: Transactions) -> dict[str, object]:
    """Say how many events wait for running transactions, and for which; empty if there are none."""
    waiting = conn.scalar(select(func.count()).select_from(LANDED).where(_is_waiting(transactions)))
    if not waiting:
        return {}
    found = {"waiting": waiting, "waiting_for": sorted(conn.scalars(_OLDEST))}
    log.warning("events wait for running transactions", **found)
    return found


def check_waiting(conn: Connection, now: datetime) -> None:
    """Raise :class:`EventsWait` if events received :data:`LONGEST_WAIT` before ``now`` wait for a transaction."""
    waiting = _is_waiting(read_transactions(conn))
    count, oldest = conn.execute(select(func.count(), func.min(LANDED.c.received_at)).where(waiting)).one()
    if oldest is None or oldest > now - LONGEST_WAIT:
        return
    holders = "; ".join(sorted(conn.scalars(_OLDEST))) or "a process that only a member of pg_read_all_stats can see"
    raise EventsWait(
        f"{count} events, the oldest of {oldest:%Y-%m-%d %H:%M} UTC, wait for a transaction that is still open: "
        f"{holders}. End it, e.g. by SELECT pg_terminate_backend(PROCESS) or ROLLBACK PREPARED"
    )


def _is_waiting(transactions: Transactions) -> ColumnElement[bool]:
    """Whether an event waits for a running transaction; numbers still to come are of the cluster of a backup."""
    return (LANDED.c.transaction_id >= transactions.settled) & (LANDED.c.transaction_id < transactions.next)


def _is_ahead(position: Position, transactions: Transactions) -> bool:
    """Whether the position is in the future of this cluster, which outside of a pass means that it is another's."""
    return position.resume_at is None and position.transaction_id > transactions.next
