"""Bring a database to the newest schema."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, inspect, text

from sql.errors import DatabaseUnavailable
from sql.migrations.ddl import IncompatibleTable

Database = Literal["service", "warehouse"]

POSTGRES_PORT = 5432
LOCK_ID = 7_401_826
MIGRATIONS = Path(__file__).parent / "migrations"
OTHER: Mapping[Database, Database] = {"service": "warehouse", "warehouse": "service"}
# The last revisions before the baseline. A database at one of them has the tables of the baseline.
NUMBERED_HEADS: Mapping[Database, str] = {"service": "0077", "warehouse": "0050"}
# Id of both baselines before each had its own. Only the tables tell which of the two a database has.
SHARED_BASELINE = "20261130_baseline"
OWN_TABLE: Mapping[Database, str] = {"service": "user_account", "warehouse": "user_event"}


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


def check_distinct(service: Engine, warehouse: Engine) -> None:
    """Raise :class:`~sql.engines.DatabaseUnavailable` if both URLs name one database."""
    if _place(service.url) == _place(warehouse.url):
        raise DatabaseUnavailable(
            f"UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL both name {_shown(service)}: each needs its own database"
        )


def upgrade(engine: Engine, database: Database) -> None:
    """Apply every missing migration; concurrent callers wait for one another.

    Raises :class:`UnknownRevision`, and :class:`~sql.engines.DatabaseUnavailable` if a table of another program has the
    name of one of ours.
    """
    with engine.connect() as lock:
        _lock(lock)
        try:
            with engine.connect() as conn:
                _adopt_earlier_baseline(conn, database)
                command.upgrade(config(database, conn), "head")
        except IncompatibleTable as error:
            raise DatabaseUnavailable(f"{database} database {_shown(engine)}: {error}") from None
        finally:
            lock.rollback()
            _unlock(lock)


def newest_revision(database: Database) -> str:
    """Return the revision that :func:`upgrade` brings a database to."""
    return str(ScriptDirectory.from_config(config(database)).get_current_head())


def revision_of(conn: Connection) -> str | None:
    """Return the revision that a database is at; None if it has none."""
    return MigrationContext.configure(conn).get_current_revision()


def _adopt_earlier_baseline(conn: Connection, database: Database) -> None:
    """Let a database at the last numbered revision or at the shared baseline start anew, which skips what exists."""
    for revision in MigrationContext.configure(conn).get_current_heads():
        if revision in _revisions(database):
            continue
        is_earlier_baseline = revision == SHARED_BASELINE and inspect(conn).has_table(OWN_TABLE[database])
        if revision == NUMBERED_HEADS[database] or is_earlier_baseline:
            conn.execute(text("DELETE FROM alembic_version"))
        else:
            where = f"{database} database {_shown(conn.engine)}"
            raise UnknownRevision(f"{where} is at revision {revision}, {_why_unknown(database, revision)}")
    conn.commit()


def _why_unknown(database: Database, revision: str) -> str:
    other = OTHER[database]
    if revision == SHARED_BASELINE or revision in _revisions(other):
        return f"which is that of the {other} database. Check UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL"
    return (
        "which this version of ukok does not know. Use the version that upgraded it, or bring it to revision "
        f"{NUMBERED_HEADS[database]} with a version that has numbered migrations and upgrade again"
    )


def _place(url: URL) -> tuple[object, ...]:
    """What tells databases apart: server, socket folder and name."""
    return url.get_backend_name(), url.host, url.port or POSTGRES_PORT, url.query.get("host"), url.database


def _revisions(database: Database) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config(database)).walk_revisions()}


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


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
