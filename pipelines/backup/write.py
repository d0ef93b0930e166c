"""Write a backup: both databases as of one moment each, and what the artifact store holds."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table, select, text

from artifacts.errors import NotFound
from artifacts.release import CURRENT
from artifacts.store import Store
from pipelines.backup.format import (
    INVENTORY,
    MANIFEST,
    TABLES,
    BackupManifest,
    DatabaseDump,
    File,
    TableDump,
    columns_of,
    write_lines,
)
from pipelines.code_version import code_version
from pipelines.errors import PipelineError
from pipelines.report import Report, record
from sql.upgrade import Database, newest_revision, revision_of

STEP: Final = "backup"
ROWS_AT_ONCE: Final = 2_000


class BackupRefused(PipelineError):
    """A backup cannot be written; the message says why and what to do."""


def write_backup(service: Engine, warehouse: Engine, store: Store, folder: Path, now: datetime) -> Report:
    """Write a backup into a new ``folder``; a backup that was killed has no folder of that name.

    The artifacts themselves stay in their store: they are written once and never changed. The Report counts rows.
    """
    if folder.exists():
        raise BackupRefused(f"{folder} exists: name a new folder for each backup")
    incoming = folder.parent / f".{folder.name}.incoming"
    # The snapshots come before the row of this step, which a restored warehouse is not to have.
    with (
        _snapshot(service, "service") as first,
        _snapshot(warehouse, "warehouse") as second,
        record(warehouse, store, STEP) as report,
        _renamed_at_end(incoming, folder),
    ):
        dumps: dict[Database, DatabaseDump] = {
            "service": _dump(first, "service", incoming),
            "warehouse": _dump(second, "warehouse", incoming),
        }
        manifest = BackupManifest(
            made_at=now,
            code_version=code_version(),
            databases=dumps,
            artifacts=_inventory(store, incoming),
            current=_current(store),
        )
        (incoming / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        tables = [table for dump in dumps.values() for table in dump.tables.values()]
        report.read = report.written = sum(table.file.lines for table in tables)
        report.details |= {"folder": str(folder), "artifacts": manifest.artifacts.lines}
    return report


@contextmanager
def _renamed_at_end(incoming: Path, folder: Path) -> Iterator[None]:
    """Make a folder that only its owner reads, and give it its name when it is complete."""
    try:
        incoming.parent.mkdir(parents=True, exist_ok=True)
        incoming.mkdir(mode=0o700)
    except FileExistsError:
        raise BackupRefused(f"{incoming} exists: another backup is writing it, or was killed; then remove it") from None
    try:
        yield
        incoming.replace(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


@contextmanager
def _snapshot(engine: Engine, database: Database) -> Iterator[Connection]:
    """Yield a connection that sees the database as it is now, whatever is written meanwhile."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        revision = revision_of(conn)  # the first read takes the snapshot
        if revision != newest_revision(database):
            raise BackupRefused(f"the {database} database is at revision {revision}: run `ukok db upgrade` first")
        yield conn


def _dump(conn: Connection, database: Database, folder: Path) -> DatabaseDump:
    tables = {table.name: _dump_table(conn, database, table, folder) for table in TABLES[database]}
    return DatabaseDump(engine=conn.dialect.name, revision=newest_revision(database), tables=tables)


def _dump_table(conn: Connection, database: Database, table: Table, folder: Path) -> TableDump:
    columns = columns_of(table)
    rows = conn.execute(select(*columns), execution_options={"yield_per": ROWS_AT_ONCE})
    file = write_lines(folder, f"{database}/{table.name}.jsonl.gz", (list(row) for row in rows))
    return TableDump(file=file, columns=[column.name for column in columns], next_id=_next_id(conn, table))


def _next_id(conn: Connection, table: Table) -> int | None:
    """The next id of a table that numbers its rows. It may be beyond the largest: ids are not given twice."""
    column = table.autoincrement_column
    if column is None:
        return None
    names = {"t": table.name, "c": column.name}
    if conn.dialect.name == "postgresql":
        sequence = conn.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), names)
        query = f"SELECT last_value + is_called::int FROM {sequence}"  # noqa: S608 (a name from the catalog)
    else:
        where = "table_schema = DATABASE() AND table_name = :t"
        query = f"SELECT auto_increment FROM information_schema.tables WHERE {where}"  # noqa: S608 (constants)
    next_id: int | None = conn.scalar(text(query), names)
    return next_id


def _inventory(store: Store, folder: Path) -> File:
    """Key and size of every object."""
    return write_lines(folder, INVENTORY, ([key, size] for key, size in store.sizes("").items()))


def _current(store: Store) -> str | None:
    try:
        return store.get(CURRENT).decode()
    except NotFound:
        return None
