"""Histories with one row for each change: prices, and versions of products."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, insert, or_, select, tuple_

from crawlers.items import Item
from pipelines.load.row_counts import RowCounts
from sql.upsert import Counts, chunks

Key = tuple[Any, ...]
Values = Mapping[str, Any]
StoredRow = tuple[Any, ...]


@dataclass(frozen=True)
class History:
    """A table with one row for each change of ``values`` by ``key``, valid from column ``time`` on.

    ``values`` maps each column to its value before the first observation. ``reconcile(row, seen, before)`` returns the
    row to store: ``row`` is ``before`` updated with ``seen``, without inherited values that contradict ``seen``.
    """

    table: Table
    key: tuple[str, ...]
    time: str
    values: Mapping[str, Any]
    reconcile: Callable[[Values, Values, Values], Values] = lambda row, *_: row

    def observe(self, conn: Connection, at: datetime, seen: Mapping[Key, Values]) -> tuple[RowCounts, set[Key]]:
        """Write the values seen at one instant; omitted ones are as before. Return also the keys that changed.

        A row equal to the one before it is removed. Later rows are not touched: after a late file, the files that
        follow are applied again (:mod:`pipelines.load.crawl_batch`).
        """
        counts, deleted, changed = Counts(), 0, set[Key]()
        for keys in chunks(list(seen)):
            stored = self._stored(conn, at, keys)
            new, obsolete = [], []
            for key in keys:
                add, drop = self._change(at, stored[key], key, seen[key])
                new += add
                obsolete += drop
                if add or drop:
                    changed.add(key)
            if obsolete:
                conn.execute(delete(self.table).where(tuple_(*self._columns(self.key), self._time).in_(obsolete)))
            if new:
                conn.execute(insert(self.table), new)
            counts += Counts(inserted=len(new), unchanged=sum(key not in changed for key in keys))
            deleted += len(obsolete)
        row_counts = RowCounts()
        row_counts.add(self.table, counts, deleted=deleted)
        return row_counts, changed

    def _change(
        self, at: datetime, rows: Sequence[StoredRow], key: Key, seen: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], list[Key]]:
        """Return the rows to insert and the keys of rows to delete."""
        before = next((self._values(row) for row in rows if self._at(row) < at), None)
        here = next((self._values(row) for row in rows if self._at(row) == at), None)
        known = before or self.values
        wanted = self.reconcile({**known, **seen}, seen, known)
        add: list[dict[str, Any]] = []
        drop: list[Key] = []
        if here is not None and (wanted == before or here != wanted):
            drop.append((*key, at))
        if wanted not in (before, here):
            add.append({**dict(zip(self.key, key, strict=True)), self.time: at, **wanted})
        return add, drop

    def _stored(self, conn: Connection, at: datetime, keys: Sequence[Key]) -> dict[Key, list[StoredRow]]:
        """Return for each key the last row before the instant and the row at it."""
        older = self.table.alias("older")
        same = [older.c[name] == self.table.c[name] for name in self.key]
        last_before = (
            select(func.max(older.c[self.time])).where(*same, older.c[self.time] < at).correlate(self.table)
        ).scalar_subquery()
        statement = (
            select(*self._columns(self.key), self._time, *self._columns(self.values))
            .where(tuple_(*self._columns(self.key)).in_(list(keys)))
            .where(or_(self._time == at, self._time == last_before))
        )
        found: dict[Key, list[StoredRow]] = defaultdict(list)
        for row in conn.execute(statement):
            found[tuple(row[: len(self.key)])].append(tuple(row))
        return found

    @property
    def _time(self) -> Column[Any]:
        return self.table.c[self.time]

    def _columns(self, names: Iterable[str]) -> list[Column[Any]]:
        return [self.table.c[name] for name in names]

    def _at(self, row: StoredRow) -> datetime:
        at: datetime = row[len(self.key)]
        return at

    def _values(self, row: StoredRow) -> dict[str, Any]:
        return dict(zip(self.values, row[len(self.key) + 1 :], strict=True))


def read_fields(item: Item, history: History) -> dict[str, Any]:
    """Return the values of a history that an item gives; those that could not be read are omitted."""
    return item.model_dump(include=set(history.values) - set(item.unread))


def drop_rate_of_other_price(row: Values, seen: Values, before: Values, none: int | None = None) -> Values:
    """Drop an inherited discount rate that belongs to another price; ``none`` is stored instead."""
    if row["price"] != before["price"] and "discount_rate" not in seen:
        return {**row, "discount_rate": none}
    return row
