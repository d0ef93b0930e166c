"""Files of a backup: ``manifest.json``, one file a table, and the inventory of the artifacts.

A table is ``<database>/<table>.jsonl.gz``: a row is a JSON list of the columns that the manifest names. The rows are
independent of the engine, so a backup of MariaDB can be restored into PostgreSQL.
"""

import gzip
import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import Column, Date, LargeBinary, Table, Uuid
from sqlalchemy.orm import DeclarativeBase

import sql.service
import sql.warehouse
from artifacts.names import FileName
from sql.service.base import ServiceBase
from sql.types import UtcDateTime
from sql.upgrade import Database
from sql.warehouse.base import WarehouseBase

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
INVENTORY: Final = "artifacts.jsonl.gz"


def _tables(package: ModuleType, base: type[DeclarativeBase]) -> Sequence[Table]:
    """Every table of a database: those of all modules of its package."""
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return base.metadata.sorted_tables


TABLES: Final[dict[Database, Sequence[Table]]] = {
    "service": _tables(sql.service, ServiceBase),
    "warehouse": _tables(sql.warehouse, WarehouseBase),
}
# Default of columns that hold a transaction of the server itself: a restored row belongs to the one that restores it.
TRANSACTION: Final = "pg_current_xact_id"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Part):
    """A file of the backup: number of its lines, and digest of its bytes."""

    name: FileName
    lines: int
    sha256: str


class TableDump(_Part):
    """The rows of a table; ``next_id``: the id that its next row would get, None if ids come from elsewhere."""

    file: File
    columns: list[str]
    next_id: int | None


class DatabaseDump(_Part):
    """A database as one transaction saw it."""

    engine: str
    revision: str
    tables: dict[str, TableDump]


class BackupManifest(_Part):
    """Description of a backup; ``current`` is the content of ``releases/CURRENT``, None without a live release."""

    schema_version: int = SCHEMA_VERSION
    made_at: AwareDatetime
    code_version: str
    databases: dict[Database, DatabaseDump]
    artifacts: File
    current: str | None


def columns_of(table: Table) -> list[Column[Any]]:
    """The columns of a table that a backup holds."""
    defaults = ((column, getattr(column.server_default, "arg", "")) for column in table.columns)
    return [column for column, default in defaults if TRANSACTION not in str(default)]


def write_lines(folder: Path, name: str, lines: Iterable[object]) -> File:
    """Write JSON values into a compressed file, one a line."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    count = 0
    with path.open("wb") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
            for count, line in enumerate(lines, 1):  # noqa: B007 (used below)
                packed.write(json.dumps(line, ensure_ascii=False, default=_plain).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return File(name=name, lines=count, sha256=digest_of(path))


def read_lines(folder: Path, file: File) -> Iterator[Any]:
    """Yield the JSON values of a file."""
    with gzip.open(folder / file.name, "rb") as lines:
        yield from map(json.loads, lines)


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parser_of(column: Column[Any]) -> Callable[[Any], Any]:
    """Return the function that makes a value of a column from its JSON, None aside."""
    for kind, parse in PARSERS.items():
        if isinstance(column.type, kind):
            return parse
    return lambda value: value


PARSERS: Final[dict[type, Callable[[Any], Any]]] = {
    UtcDateTime: datetime.fromisoformat,
    Date: date.fromisoformat,
    Uuid: UUID,
    LargeBinary: b64decode,
}


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be written into a backup")
