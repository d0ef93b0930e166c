"""Bring a database to the newest schema."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from sql.engines import DatabaseUnavailable

Database = Literal["service", "warehouse"]

LOCK_ID = 7_401_826
MIGRATIONS = Path(__file__).parent / "migrations"
# The last revisions before the baseline. A database at one of them has the tables of the baseline.
NUMBERED_HEADS = {"service": "0077", "warehouse": "0050"}


class UnknownRevision(DatabaseUnavailable):
    """A database is at a revision that no migration leads on from; the message says which and what to do."""


def config(database: Database, conn: Connection | None = None) -> Config:
    """Alembic's configuration for one of the two databases.

    Name a new migration by date and slug: ``command.revision(config("service"), "Add x", rev_id="20270115_add_x")``.
    """
    result = Config()
    result.set_main_option("script_location", str(MIGRATIONS / database))
    result.set_main_option("path_separator", "os")
    result.set_main_option("file_template", "%%(rev)s")
    result.attributes["connection"] = conn
    return result


def upgrade(engine: Engine, database: Database) -> None:
    """Apply every missing migration; concurrent callers wait for one another. Raises :class:`UnknownRevision`."""
    with engine.connect() as lock:
        _lock(lock)
        try:
            with engine.connect() as conn:
                _adopt_numbered_head(conn, database)
                command.upgrade(config(database, conn), "head")
        finally:
            lock.rollback()
            _unlock(lock)


def _adopt_numbered_head(conn: Connection, database: Database) -> None:
    """Let a database at the last numbered revision start from the baseline, which skips what exists."""
    scripts = ScriptDirectory.from_config(config(database))
    known = {script.revision for script in scripts.walk_revisions()}
    url = conn.engine.url.render_as_string(hide_password=True)
    for revision in MigrationContext.configure(conn).get_current_heads():
        if revision == NUMBERED_HEADS[database]:
            conn.execute(text("DELETE FROM alembic_version"))
        elif revision not in known:
            raise UnknownRevision(
                f"{database} database {url} is at revision {revision}, "
                "which this version of ukok does not know. Use the version that upgraded it, or bring it to revision "
                f"{NUMBERED_HEADS[database]} with a version that has numbered migrations and upgrade again"
            )
    conn.commit()


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
