"""Restore a backup into empty databases, and compare the artifact store with its inventory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from artifacts.release import CURRENT, Pointer
from artifacts.release import MANIFEST as RELEASE_MANIFEST
from artifacts.store import Store
from pipelines.backup.format import (
    MANIFEST,
    SCHEMA_VERSION,
    TABLES,
    BackupManifest,
    DatabaseDump,
    File,
    TableDump,
    columns_of,
    digest_of,
    parser_of,
    read_lines,
)
from pipelines.errors import PipelineError
from pipelines.load.ledger import table_of
from sql.service.catalog import Channel
from sql.upgrade import Database, check_distinct, newest_revision, revision_of, upgrade
from sql.warehouse.events import FctUserEvent
from sql.warehouse.partitions import make_partitions

log = structlog.get_logger(__name__)

ROWS_AT_ONCE: Final = 2_000
FACT: Final = table_of(FctUserEvent)
# Tables that migrations fill; a restore replaces their rows.
FILLED: Final = frozenset({table_of(Channel).name})


class RestoreRefused(PipelineError):
    """A backup cannot be restored; the message says why and what to do. Nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """What a restore did: rows by table; ``missing`` and ``changed`` are keys of artifacts that differ from the backup.

    ``live``: the release that the backup names as live, ``is_live`` whether the store names it now.
    """

    rows: dict[str, int]
    missing: list[str]
    changed: list[str]
    live: str | None
    is_live: bool


def restore_backup(service: Engine, warehouse: Engine, store: Store, folder: Path) -> Restored:
    """Fill both databases, which are empty or have no tables yet, in one transaction each.

    Raises :class:`RestoreRefused` if a file is damaged, the schema is another one, or a table has rows.
    """
    manifest = _read_manifest(folder)
    check_distinct(service, warehouse)
    _check_revision(service, "service", manifest)
    _check_revision(warehouse, "warehouse", manifest)
    _make_tables(service, "service")
    _make_tables(warehouse, "warehouse")
    with service.connect() as first, warehouse.connect() as second:
        connections: dict[Database, Connection] = {"service": first, "warehouse": second}
        for database, conn in connections.items():
            _check_empty(conn, database)
            conn.rollback()
        make_partitions(warehouse, _days(folder, manifest.databases["warehouse"].tables[FACT.name]))
        rows: dict[str, int] = {}
        for database, conn in connections.items():
            try:
                rows |= _fill(conn, database, manifest.databases[database], folder)
            except IntegrityError:
                raise RestoreRefused(
                    f"somebody else is filling the {database} database: stop what writes to it, or name a new one"
                ) from None
        for conn in connections.values():
            conn.commit()
    missing, changed = _compare_artifacts(store, folder, manifest)
    live = Pointer.model_validate_json(manifest.current).version if manifest.current else None
    return Restored(rows, missing, changed, live, _restore_current(store, manifest.current, live))


def _read_manifest(folder: Path) -> BackupManifest:
    """Read the manifest and check every file that it names."""
    try:
        manifest = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise RestoreRefused(f"{folder} has no {MANIFEST}: it is no backup, or not a whole one") from None
    except ValidationError as error:
        raise RestoreRefused(
            f"{folder / MANIFEST} is damaged or of another version: {error.error_count()} errors"
        ) from None
    if manifest.schema_version != SCHEMA_VERSION:
        raise RestoreRefused(
            f"{folder} has schema version {manifest.schema_version}, and this program reads {SCHEMA_VERSION}: "
            f"restore it with version {manifest.code_version}, which made it"
        )
    for file in _files(manifest):
        path = folder / file.name
        if not path.is_file() or digest_of(path) != file.sha256:
            raise RestoreRefused(f"{path} is {'damaged' if path.is_file() else 'missing'}: use another backup")
    return manifest


def _files(manifest: BackupManifest) -> Iterator[File]:
    yield manifest.artifacts
    for dump in manifest.databases.values():
        yield from (table.file for table in dump.tables.values())


def _check_revision(engine: Engine, database: Database, manifest: BackupManifest) -> None:
    """Refuse another schema; one without tables gets the newest schema, and must stay empty for another version."""
    newest, wanted = newest_revision(database), manifest.databases[database].revision
    with engine.connect() as conn:
        found = revision_of(conn) or newest
    if found == wanted:
        return
    advice = (
        "run `ukok db upgrade`"
        if wanted == newest
        else f"restore it with version {manifest.code_version}, which made it, and then run `ukok db upgrade`"
    )
    raise RestoreRefused(f"the {database} database is at revision {found}, and the backup at {wanted}: {advice}")


def _make_tables(engine: Engine, database: Database) -> None:
    """Bring a new database to the newest schema; an existing one is left as it is."""
    with engine.connect() as conn:
        is_new = revision_of(conn) is None
    if is_new:
        upgrade(engine, database)


def _check_empty(conn: Connection, database: Database) -> None:
    for table in TABLES[database]:
        if table.name not in FILLED and (rows := _count(conn, table)):
            raise RestoreRefused(
                f"the {database} database is not empty: {table.name} has {rows:,} rows. "
                f"Name a new database in UKOK_{database.upper()}_DB_URL"
            )


def _count(conn: Connection, table: Table) -> int:
    return conn.scalar(select(func.count()).select_from(table)) or 0


def _days(folder: Path, dump: TableDump) -> set[date]:
    """Days of the events, each of which needs a partition."""
    position = dump.columns.index(FACT.c.day.name)
    return {date.fromisoformat(row[position]) for row in read_lines(folder, dump.file)}


def _fill(conn: Connection, database: Database, dump: DatabaseDump, folder: Path) -> dict[str, int]:
    """Insert the rows of a database without committing; return their numbers."""
    counts = {}
    for table in TABLES[database]:
        if conn.dialect.name != "postgresql":  # the statement commits, so it comes before the first row
            _set_next_id(conn, table, dump.tables[table.name].next_id)
    for table in TABLES[database]:
        found = dump.tables[table.name]
        if table.name in FILLED:
            conn.execute(table.delete())
        rows = _rows(folder, table, found)
        while some := list(islice(rows, ROWS_AT_ONCE)):
            conn.execute(insert(table), some)
        counts[f"{database}.{table.name}"] = written = _count(conn, table)
        if written != found.file.lines:
            raise RestoreRefused(f"{table.name} has {written:,} rows after the restore, not {found.file.lines:,}")
        if conn.dialect.name == "postgresql":
            _set_next_id(conn, table, found.next_id)
        log.info("restored", database=database, table=table.name, rows=written)
    return counts


def _rows(folder: Path, table: Table, dump: TableDump) -> Iterator[dict[str, Any]]:
    columns = {column.name: column for column in columns_of(table)}
    if set(columns) != set(dump.columns):
        raise RestoreRefused(f"the backup of {table.name} has the columns {', '.join(dump.columns)}: is it whole?")
    parsers = [(name, parser_of(columns[name])) for name in dump.columns]
    for row in read_lines(folder, dump.file):
        yield {name: None if value is None else parse(value) for (name, parse), value in zip(parsers, row, strict=True)}


def _set_next_id(conn: Connection, table: Table, next_id: int | None) -> None:
    column = table.autoincrement_column
    if column is None or next_id is None:
        return
    if conn.dialect.name == "postgresql":
        conn.execute(
            text("SELECT setval(pg_get_serial_sequence(:t, :c), :next, false)"),
            {"t": table.name, "c": column.name, "next": next_id},
        )
    else:
        conn.execute(text(f"ALTER TABLE {table.name} AUTO_INCREMENT = {int(next_id)}"))


def _compare_artifacts(store: Store, folder: Path, manifest: BackupManifest) -> tuple[list[str], list[str]]:
    """Keys of the inventory that the store lacks, and of those with another size; ``CURRENT`` aside."""
    stored = store.sizes("")
    listed = {key: size for key, size in read_lines(folder, manifest.artifacts) if key != CURRENT}
    missing = [key for key in listed if key not in stored]
    return missing, [key for key, size in listed.items() if key in stored and stored[key] != size]


def _restore_current(store: Store, current: str | None, live: str | None) -> bool:
    """Name the live release again if the store names none and has it; return whether it is live."""
    if current is None or live is None:
        return False
    if not store.exists(CURRENT) and store.exists(f"releases/{live}/{RELEASE_MANIFEST}"):
        store.put_if(CURRENT, current.encode(), None)
    return store.exists(CURRENT) and Pointer.model_validate_json(store.get(CURRENT)).version == live
