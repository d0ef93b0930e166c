"""Number of rows that a load changed, by table."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import FromClause

from sql.upsert import Counts


@dataclass
class RowCounts:
    """Sums of inserted, updated, unchanged and deleted rows by table.

    ``cut``: texts too long for their column. ``stale_labels``: labels that do not apply, since the title has changed.
    """

    by_table: dict[str, Counts] = field(default_factory=dict)
    deleted: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    stale_labels: int = 0

    def add(self, table: FromClause, counts: Counts, *, deleted: int = 0) -> None:
        """Add what one statement did to a table."""
        name = str(table)
        self.by_table[name] = self.by_table.get(name, Counts()) + counts
        self.deleted[name] += deleted

    def unchanged(self, table: FromClause) -> int:
        """Return the unchanged rows of a table."""
        return self.by_table.get(str(table), Counts()).unchanged

    def written_in(self, table: FromClause) -> int:
        """Return the inserted and updated rows of a table."""
        return self.by_table.get(str(table), Counts()).written

    @property
    def written(self) -> int:
        """Rows inserted, updated or deleted in all tables."""
        return sum(counts.written for counts in self.by_table.values()) + self.deleted.total()

    def __iadd__(self, other: "RowCounts") -> Self:
        for name, counts in other.by_table.items():
            self.by_table[name] = self.by_table.get(name, Counts()) + counts
        self.deleted += other.deleted
        self.cut += other.cut
        self.stale_labels += other.stale_labels
        return self

    def details(self) -> dict[str, dict[str, int]]:
        """Return the counts by table for a report."""
        return {
            name: {"inserted": counts.inserted, "updated": counts.updated, "deleted": self.deleted[name]}
            for name, counts in self.by_table.items()
        }

    def doubts(self) -> dict[str, int]:
        """Return what is in doubt for a report, each with its number."""
        return {"labels of titles that have changed, not applied": self.stale_labels} if self.stale_labels else {}
