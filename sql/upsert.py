"""Upsert by natural key, the same on every engine; load steps write their rows with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, insert, select, tuple_, update

T = TypeVar("T")

CHUNK = 1000


@dataclass(frozen=True)
class Counts:
    """Number of rows that an upsert inserted, updated and left unchanged."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def written(self) -> int:
        """Rows that were inserted or updated."""
        return self.inserted + self.updated

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)


def chunks(rows: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Split ``rows`` into sequences of at most ``size``."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update_columns: Sequence[str],
    key: Sequence[str] = (),
) -> Counts:
    """Write ``rows`` by their natural key, touching only rows that differ.

    ``key`` names the columns of the natural key (default: the primary key). Existing rows are compared and updated in
    ``update_columns`` only; new rows are inserted whole. Raises ``ValueError`` if two rows have the same key.
    """
    names = tuple(key) or tuple(column.name for column in table.primary_key.columns)
    by_key = {tuple(row[name] for name in names): row for row in rows}
    if len(by_key) != len(rows):
        raise ValueError(f"{table.name}: {len(rows) - len(by_key)} rows repeat a key of {names}; keep one of each")
    total = Counts()
    for keys in chunks(list(by_key)):
        total += _upsert_chunk(conn, table, names, {k: by_key[k] for k in keys}, update_columns)
    return total


def _upsert_chunk(
    conn: Connection,
    table: Table,
    names: Sequence[str],
    by_key: Mapping[tuple[Any, ...], Mapping[str, Any]],
    update_columns: Sequence[str],
) -> Counts:
    key_columns = [table.c[name] for name in names]
    wanted = [*key_columns, *(table.c[name] for name in update_columns)]
    in_keys = tuple_(*key_columns).in_(list(by_key)) if len(names) > 1 else key_columns[0].in_([k[0] for k in by_key])
    existing = {
        tuple(row[: len(names)]): tuple(row[len(names) :]) for row in conn.execute(select(*wanted).where(in_keys))
    }
    new = [dict(row) for k, row in by_key.items() if k not in existing]
    changed = [
        row for k, row in by_key.items() if k in existing and existing[k] != tuple(row[c] for c in update_columns)
    ]
    if new:
        conn.execute(insert(table), new)
    if changed:
        statement = (
            update(table)
            .where(*(column == bindparam(f"key_{column.name}") for column in key_columns))
            .values({name: bindparam(f"new_{name}") for name in update_columns})
        )
        parameters = [
            {f"key_{name}": row[name] for name in names} | {f"new_{name}": row[name] for name in update_columns}
            for row in changed
        ]
        conn.execute(statement, parameters)
    return Counts(len(new), len(changed), len(by_key) - len(new) - len(changed))
