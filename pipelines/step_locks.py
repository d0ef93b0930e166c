"""Advisory locks of PostgreSQL that tell on every machine whether a run of a step is alive.

A run holds the lock of its run id on a connection of its own. The server releases it when the process, its machine or
the connection dies, so a row of ``step_run`` that says ``running`` without the lock belongs to a run that was killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, text, update
from sqlalchemy.exc import DBAPIError

from sql.warehouse.steps import StepRun

KEYSPACE: Final = 7_401_827
"""First key of these locks; the second is a hash of their name."""
ARTIFACTS: Final = "artifacts"
"""Shared by steps that write or promote models and releases, exclusive to the maintenance that deletes them."""
CRAWLED_IMAGES: Final = "images"
"""Shared by crawls that store images, exclusive to the maintenance that deletes them."""
PROMOTION: Final = "promotion"
"""Held alone by steps that change which releases are served."""

# The server finds out within two minutes that a machine is gone.
KEEPALIVES: Final = "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6"
DEAD: Final = text(
    """
    SELECT run_id FROM step_run WHERE status = 'running' AND NOT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = :keyspace AND objid = (hashtext(run_id)::bigint & 4294967295))
    """
)
REASON: Final = "the process of this run, or its connection to the warehouse, ended before the step did; run it again"


@contextmanager
def shared_lock(warehouse: Engine, name: str) -> Iterator[None]:
    """Hold a lock that others may share until the block ends. Losing the connection meanwhile is no error."""
    with _own_connection(warehouse) as conn:
        conn.execute(text("SELECT pg_advisory_lock_shared(:keyspace, hashtext(:name))"), _key(name))
        yield


@contextmanager
def waiting_lock(warehouse: Engine, name: str) -> Iterator[None]:
    """Hold a lock alone until the block ends, after whoever holds it."""
    with _own_connection(warehouse) as conn:
        conn.execute(text("SELECT pg_advisory_lock(:keyspace, hashtext(:name))"), _key(name))
        yield


@contextmanager
def exclusive_lock(warehouse: Engine, name: str) -> Iterator[bool]:
    """Try to hold a lock alone until the block ends; yield whether it is held."""
    with _own_connection(warehouse) as conn:
        yield bool(conn.scalar(text("SELECT pg_try_advisory_lock(:keyspace, hashtext(:name))"), _key(name)))


def dead_runs(conn: Connection) -> set[str]:
    """Ids of the runs that say ``running`` in ``step_run`` and are not alive."""
    return set(conn.scalars(DEAD, {"keyspace": KEYSPACE}))


def mark_killed(conn: Connection) -> int:
    """Set the status of :func:`dead_runs` to ``killed``; return their number."""
    dead = StepRun.run_id.in_(dead_runs(conn))
    return conn.execute(
        update(StepRun).where(dead, StepRun.status == "running").values(status="killed", error=REASON)
    ).rowcount


@contextmanager
def _own_connection(warehouse: Engine) -> Iterator[Connection]:
    """Yield a connection outside the pool and outside transactions; closing it releases its locks."""
    conn = warehouse.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        conn.detach()
        conn.execute(text(KEEPALIVES))
        yield conn
    finally:
        try:
            conn.close()
        except DBAPIError:  # it was lost, and its locks with it
            conn.invalidate()


def _key(name: str) -> dict[str, int | str]:
    return {"keyspace": KEYSPACE, "name": name}
