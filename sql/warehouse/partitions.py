"""Daily partitions of the fact table of events.

A partition is made beside its table and attached: unlike ``CREATE TABLE ... PARTITION OF``, that waits for no reader,
and no reader waits for it.
"""

import time
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

# Days after today for which ingestion makes partitions.
DAYS_AHEAD = 3
LOCK_NOT_AVAILABLE = "55P03"
ATTEMPTS, PAUSE_SECONDS = 20, 0.5

_NAMES = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'fct_user_event'::regclass")
_HOLDERS = text(
    """
    SELECT DISTINCT format('process %s (%s, %s) since %s', pid, coalesce(nullif(application_name, ''), 'unnamed'),
        state, xact_start)
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE relation = 'fct_user_event'::regclass AND granted
        AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    """
)


class PartitionLocked(RuntimeError):
    """The fact table is locked by somebody else for too long; the message names them."""


def partition_name(day: date) -> str:
    """Return the name of the partition of a day."""
    return f"fct_user_event_{day.isoformat().replace('-', '')}"  # %Y has no leading zeros


def partition_days(conn: Connection) -> list[date]:
    """Return the days that have a partition."""
    return sorted(date.fromisoformat(name.rpartition("_")[2]) for name in conn.scalars(_NAMES))


def days_ahead(today: date) -> list[date]:
    """Return today and the days after it whose partitions are made ahead."""
    return [today + timedelta(days=days) for days in range(DAYS_AHEAD + 1)]


def make_partitions(warehouse: Engine, days: Iterable[date]) -> list[date]:
    """Make the missing partitions of ``days``, each in its own transaction; return the days for which one was made.

    Raises :class:`PartitionLocked` if another process alters the table meanwhile and does not end.
    """
    with warehouse.connect() as conn:
        existing = set(conn.scalars(_NAMES))
    missing = [day for day in sorted(set(days)) if partition_name(day) not in existing]
    return [day for day in missing if _make_partition(warehouse, day)]


def _make_partition(warehouse: Engine, day: date) -> bool:
    for _ in range(ATTEMPTS):
        try:
            with warehouse.begin() as conn:
                return _attach(conn, day)
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) != LOCK_NOT_AVAILABLE:
                raise
        time.sleep(PAUSE_SECONDS)
    with warehouse.connect() as conn:
        holders = "; ".join(conn.scalars(_HOLDERS)) or "a process that has ended by now: try again"
    raise PartitionLocked(f"{partition_name(day)} cannot be attached: fct_user_event is locked by {holders}")


def _attach(conn: Connection, day: date) -> bool:
    """Create and attach a partition; False if another process has done so meanwhile."""
    name = partition_name(day)
    # Whoever asks for a lock after this one waits as long as this one does.
    conn.execute(text("SET LOCAL lock_timeout = '900ms'"))
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ukok partitions'))"))
    if name in conn.scalars(_NAMES).all():
        return False
    if conn.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None:
        raise RuntimeError(f"the table {name} is no partition of fct_user_event: attach, rename or drop it")
    conn.execute(text(f"CREATE TABLE {name} (LIKE fct_user_event INCLUDING ALL)"))
    bounds = f"FROM ('{day.isoformat()}') TO ('{(day + timedelta(days=1)).isoformat()}')"
    conn.execute(text(f"ALTER TABLE fct_user_event ATTACH PARTITION {name} FOR VALUES {bounds}"))
    return True
