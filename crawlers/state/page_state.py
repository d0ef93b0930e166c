"""Incremental-crawl state: last fetch, validators and digest of each product page, and which pages are due.

A page is due if its product is new, if the listing shows another price or rate than at the last fetch, if the spider
extracts more from a page than then (``version``), or if the last fetch is too long ago. Every fetch that finds a page
unchanged doubles its interval, up to ``MAX_DOUBLINGS`` times.

The state is an SQLite file during the crawl, which takes the same memory for a hundred thousand products as for three
thousand, and rows of JSON between crawls. Pages that killed crawls had read are taken over: they count as read, and
this crawl files their items unless it reads the pages anew.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from crawlers.state.http_validators import conditional_headers

MAX_DOUBLINGS = 2
FORGET_AFTER = timedelta(days=90)
GONE = "gone"  # instead of a digest
COUNT_UNCHANGED = (
    "unchanged_reads = CASE WHEN digest = :digest AND version = :version THEN unchanged_reads + 1 ELSE 0 END,"
    " digest = :digest, version = :version"
)


@dataclass(frozen=True, slots=True)
class PageRow:
    """A product page between crawls: when it was last listed and read, and what was read then.

    ``listed`` is the price in the newest listing, ``read_listed`` the one listed at the last fetch, both as text.
    ``unchanged_reads``: how many fetches in a row found the page unchanged. Instants are ISO 8601 in UTC. A page that
    was never read has no ``read_at``, ``version`` and ``digest``.
    """

    product_id: int
    listed: str | None
    listed_at: str | None
    read_at: str | None
    read_listed: str | None
    version: int | None
    etag: str | None
    last_modified: str | None
    digest: str | None
    unchanged_reads: int


PAGE_ROW = TypeAdapter(PageRow)
_COLUMNS = tuple(field.name for field in fields(PageRow))
_values = attrgetter(*_COLUMNS)


@dataclass(frozen=True)
class DuePage:
    """A product page to request, and the validators of its last response."""

    product_id: int
    etag: str | None
    last_modified: str | None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the conditional request."""
        return conditional_headers(self.etag, self.last_modified)


class PageState:
    """The product pages of one source: which are listed in this crawl, and when each was last read.

    ``age``: shortest interval between two fetches. ``version``: the spider's ``page_version``. Instants are aware.
    """

    def __init__(self, path: Path, now: datetime, age: timedelta, version: int) -> None:
        self._now = now.astimezone(UTC)
        self._now_text = self._now.isoformat()
        self._age = age
        self._version = version
        self._database = sqlite3.connect(path, isolation_level=None)
        # The file does not outlive its process: no journal, no waiting for the disk, one transaction, never committed.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000;
            CREATE TABLE page (
                product_id INTEGER PRIMARY KEY, listed TEXT, listed_at TEXT, read_at TEXT, read_listed TEXT,
                version INTEGER, etag TEXT, last_modified TEXT, digest TEXT, unchanged_reads INTEGER NOT NULL DEFAULT 0,
                seen INTEGER NOT NULL DEFAULT 0, priced INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0,
                taken_over INTEGER NOT NULL DEFAULT 0, unfiled INTEGER NOT NULL DEFAULT 0
            );
            CREATE INDEX unclaimed ON page (product_id) WHERE seen AND NOT claimed;
            CREATE TABLE listing (
                list TEXT, product_id INTEGER, price TEXT, PRIMARY KEY (list, product_id)
            ) WITHOUT ROWID;
            BEGIN;
            """
        )

    def load(self, rows: Iterable[PageRow]) -> None:
        """Load the rows that the last crawl left; a later row of a product replaces an earlier one."""
        statement = f"INSERT OR REPLACE INTO page ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 (names of our own)
        self._database.executemany(statement, map(_values, rows))

    def take_over(self, row: PageRow, *, with_item: bool) -> None:
        """Take over a page that a killed crawl had read; the newest row of a product comes first, and counts.

        ``with_item``: the page has an item, which is not in the raw zone yet.
        """
        known = self._database.execute(
            "SELECT read_at, taken_over FROM page WHERE product_id = ?", (row.product_id,)
        ).fetchone()
        read_at, taken_over = known or (None, False)
        if not taken_over:
            if read_at is not None and read_at > (row.read_at or ""):
                return
            self.load([row])
        self._database.execute(
            "UPDATE page SET taken_over = 1, unfiled = max(unfiled, ?) WHERE product_id = ?",
            (with_item, row.product_id),
        )

    def claim_taken_over_item(self, product_id: int) -> bool:
        """Return True, once, if the item that a killed crawl left of a page is still the newest."""
        statement = "UPDATE page SET unfiled = 0 WHERE product_id = ? AND unfiled RETURNING 1"
        return self._database.execute(statement, (product_id,)).fetchone() is not None

    def add_listing(self, listing: str, product_id: int, price: str | None) -> bool:
        """Record that a list shows a product for a price. Return False if it did so before in this crawl."""
        statement = "INSERT OR IGNORE INTO listing VALUES (?, ?, ?)"
        return self._database.execute(statement, (listing, product_id, price)).rowcount == 1

    def price_in(self, listing: str, product_id: int) -> str | None:
        """Return the price for which a list has shown a product, as it was recorded first."""
        statement = "SELECT price FROM listing WHERE list = ? AND product_id = ?"
        price: str | None = self._database.execute(statement, (listing, product_id)).fetchone()[0]
        return price

    def mark_listed(self, product_id: int, listed: str | None) -> None:
        """Record that a product is listed in this crawl; ``listed`` is the price that the listing shows, as text.

        Of several prices the one that sorts first counts, so that the order of the pages does not matter. A listing
        without a price (None) is no sign of a change.
        """
        self._database.execute(
            """
            INSERT INTO page (product_id, listed, listed_at, seen, priced)
            VALUES (:id, :listed, :at, 1, :listed IS NOT NULL)
            ON CONFLICT (product_id) DO UPDATE SET
                listed = CASE WHEN :listed IS NULL THEN listed WHEN priced THEN min(listed, :listed) ELSE :listed END,
                priced = priced OR :listed IS NOT NULL, listed_at = :at, seen = 1
            """,
            {"id": product_id, "listed": listed, "at": self._now_text},
        )

    def count_unclaimed(self) -> int:
        """Return how many listed pages :meth:`claim_due` has not looked at."""
        count: int = self._database.execute("SELECT count(*) FROM page WHERE seen AND NOT claimed").fetchone()[0]
        return count

    def claim_due(self, limit: int) -> list[DuePage]:
        """Claim up to ``limit`` due pages to request; each is claimed once in a crawl."""
        pages: list[DuePage] = []
        while len(pages) < limit and (rows := self._claim_listed(limit - len(pages))):
            for product_id, listed, read_at, read_listed, version, unchanged_reads, etag, last_modified in rows:
                if version != self._version:
                    pages.append(DuePage(product_id, None, None))
                elif read_listed != listed or self._is_stale(read_at, unchanged_reads):
                    pages.append(DuePage(product_id, etag, last_modified))
        return pages

    def mark_read(self, product_id: int, digest: str, etag: str | None, last_modified: str | None) -> PageRow:
        """Record that a page was read, with the ``digest`` of its content. Return its row."""
        self._update(
            product_id,
            f"{COUNT_UNCHANGED}, etag = :etag, last_modified = :last_modified, unfiled = 0",
            digest=digest,
            version=self._version,
            etag=etag,
            last_modified=last_modified,
        )
        return self._row(product_id)

    def mark_unchanged(self, product_id: int) -> PageRow:
        """Record that a page has not changed since it was read (HTTP 304). Return its row."""
        self._update(product_id, "unchanged_reads = unchanged_reads + 1")
        return self._row(product_id)

    def mark_gone(self, product_id: int) -> PageRow:
        """Record that a listed product has no page. Return its row."""
        self._update(
            product_id,
            f"{COUNT_UNCHANGED}, etag = NULL, last_modified = NULL",
            digest=GONE,
            version=self._version,
        )
        return self._row(product_id)

    def rows(self) -> Iterator[PageRow]:
        """Yield the rows for the next crawl, without products that have not been listed for 90 days."""
        rows = self._database.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM page WHERE listed_at >= ? ORDER BY product_id",  # noqa: S608
            ((self._now - FORGET_AFTER).isoformat(),),
        )
        return (PageRow(*row) for row in rows)

    def dump(self, path: Path) -> None:
        """Write the rows as JSON lines."""
        with path.open("wb") as file:
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self.rows())

    def close(self) -> None:
        self._database.close()

    def _claim_listed(self, limit: int) -> list[Any]:
        """Claim up to ``limit`` listed pages, due or not."""
        return self._database.execute(
            """
            UPDATE page SET claimed = 1
            WHERE product_id IN (SELECT product_id FROM page WHERE seen AND NOT claimed ORDER BY product_id LIMIT ?)
            RETURNING product_id, listed, read_at, read_listed, version, unchanged_reads, etag, last_modified
            """,
            (limit,),
        ).fetchall()

    def _is_stale(self, read_at: str, unchanged_reads: int) -> bool:
        interval: timedelta = self._age * 2 ** min(unchanged_reads, MAX_DOUBLINGS)
        return self._now - datetime.fromisoformat(read_at) >= interval

    def _update(self, product_id: int, changes: str, **values: object) -> None:
        """Update the row of a page that was fetched just now."""
        self._database.execute(
            f"UPDATE page SET {changes}, read_at = :now, read_listed = listed WHERE product_id = :id",  # noqa: S608
            {"id": product_id, "now": self._now_text, **values},
        )

    def _row(self, product_id: int) -> PageRow:
        row = self._database.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM page WHERE product_id = ?",  # noqa: S608
            (product_id,),
        ).fetchone()
        return PageRow(*row)
