"""Bring a database to the newest schema."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

Database = Literal["service", "warehouse"]

LOCK_ID = 7_401_826
MIGRATIONS = Path(__file__).parent / "migrations"


def config(database: Database, conn: Connection | None = None) -> Config:
    """Alembic's configuration for one of the two databases."""
    result = Config()
    result.set_main_option("script_location", str(MIGRATIONS / database))
    result.set_main_option("path_separator", "os")
    result.attributes["connection"] = conn
    return result


def upgrade(engine: Engine, database: Database) -> None:
    """Apply every migration that is missing; concurrent callers wait for one another."""
    with engine.connect() as lock:
        _lock(lock)
        try:
            with engine.connect() as conn:
                command.upgrade(config(database, conn), "head")
        finally:
            lock.rollback()
            _unlock(lock)


def _lock(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_lock(:id)"), {"id": LOCK_ID})
    else:
        conn.execute(text("SELECT GET_LOCK(:name, 120)"), {"name": f"ukok_{LOCK_ID}"})


def _unlock(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": LOCK_ID})
    else:
        conn.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": f"ukok_{LOCK_ID}"})
