"""What a crawl remembers of product pages, so that the next one reads only what is due.

A page is due when its product is new, when the listing shows another price or rate than when the page was read, when
the spider reads more from a page than it did then (``version``), or when it was read too long ago. A page that rests is
asked for less and less often: every unchanged reading doubles its interval, up to ``MOST_RESTED`` times.

The memory is a file of SQLite for the time of the crawl, since that takes the same room for a hundred thousand products
as for three thousand, and lines of JSON between crawls. What a killed crawl had read is taken over: those readings are
remembered like any other, and their items are filed by this crawl unless it reads the pages anew.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from crawlers.state.http_validators import conditional_headers

MOST_RESTED = 2  # doublings
FORGET = timedelta(days=90)
GONE = "gone"  # in place of a digest
COLUMNS = (
    "product_id",
    "listed",
    "listed_at",
    "read_at",
    "read_listed",
    "version",
    "etag",
    "last_modified",
    "digest",
    "rested",
)


@dataclass(frozen=True)
class DuePage:
    """A product page to ask for, and what its last answer said of its own age."""

    product_id: int
    etag: str | None
    last_modified: str | None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the request for it."""
        return conditional_headers(self.etag, self.last_modified)


class PageMemory:
    """The product pages of one source: which are listed in this crawl, and when each was read last.

    ``age``: how long a reading is good for. ``version``: of what the spider reads from a page. Instants are aware.
    """

    def __init__(self, path: Path, now: datetime, age: timedelta, version: int) -> None:
        self._now = now.astimezone(UTC)
        self._age = age
        self._version = version
        self._database = sqlite3.connect(path, isolation_level=None)
        # The file is worth nothing after its process: no journal, no waiting for the disk, one transaction for ever.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000;
            CREATE TABLE page (
                product_id INTEGER PRIMARY KEY, listed TEXT, listed_at TEXT, read_at TEXT, read_listed TEXT,
                version INTEGER, etag TEXT, last_modified TEXT, digest TEXT, rested INTEGER NOT NULL DEFAULT 0,
                seen INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0,
                taken_over INTEGER NOT NULL DEFAULT 0, unfiled INTEGER NOT NULL DEFAULT 0
            );
            CREATE INDEX waiting ON page (product_id) WHERE seen AND NOT asked;
            CREATE TABLE listing (list TEXT, product_id INTEGER, PRIMARY KEY (list, product_id)) WITHOUT ROWID;
            BEGIN;
            """
        )

    def recall(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in what earlier crawls knew; a later line of a product replaces the earlier one."""
        statement = f"INSERT OR REPLACE INTO page ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 (names of our own)
        self._database.executemany(statement, ([line[name] for name in COLUMNS] for line in lines))

    def take_over(self, line: Mapping[str, Any], *, with_item: bool) -> None:
        """Take in a reading that a killed crawl left; the newest of a product comes first, and counts.

        ``with_item``: the reading has an item, which is not in the raw zone yet.
        """
        known = self._database.execute(
            "SELECT read_at, taken_over FROM page WHERE product_id = ?", (line["product_id"],)
        ).fetchone()
        read_at, taken_over = known or (None, False)
        if not taken_over:
            if read_at is not None and read_at > line["read_at"]:
                return
            self.recall([line])
        self._database.execute(
            "UPDATE page SET taken_over = 1, unfiled = max(unfiled, ?) WHERE product_id = ?",
            (with_item, line["product_id"]),
        )

    def file_taken_over(self, product_id: int) -> bool:
        """Whether the item that a killed crawl left of a page is still the newest; tells so once."""
        statement = "UPDATE page SET unfiled = 0 WHERE product_id = ? AND unfiled RETURNING 1"
        return self._database.execute(statement, (product_id,)).fetchone() is not None

    def newly_listed(self, place: str, product_id: int) -> bool:
        """Note that a list shows a product; False if it did so before in this crawl."""
        statement = "INSERT OR IGNORE INTO listing VALUES (?, ?)"
        return self._database.execute(statement, (place, product_id)).rowcount == 1

    def see(self, product_id: int, listed: str | None) -> None:
        """Note that a product is listed in this crawl; ``listed`` sums up what the listing shows of it.

        A product that is listed in several ways counts with the one that sorts first, so that the order in which the
        pages come does not matter. A listing that shows nothing (None) is no sign of a change.
        """
        self._database.execute(
            """
            INSERT INTO page (product_id, listed, listed_at, seen, told)
            VALUES (:id, :listed, :at, 1, :listed IS NOT NULL)
            ON CONFLICT (product_id) DO UPDATE SET
                listed = CASE WHEN :listed IS NULL THEN listed WHEN told THEN min(listed, :listed) ELSE :listed END,
                told = told OR :listed IS NOT NULL, listed_at = :at, seen = 1
            """,
            {"id": product_id, "listed": listed, "at": self._now.isoformat()},
        )

    def waiting(self) -> int:
        """How many listed pages :meth:`due` has not decided on."""
        count: int = self._database.execute("SELECT count(*) FROM page WHERE seen AND NOT asked").fetchone()[0]
        return count

    def due(self, most: int) -> list[DuePage]:
        """The next ``most`` pages to ask for; each is given out once in a crawl."""
        pages: list[DuePage] = []
        while len(pages) < most and (rows := self._decide(most - len(pages))):
            for product_id, listed, read_at, read_listed, version, rested, etag, last_modified in rows:
                if version != self._version:
                    pages.append(DuePage(product_id, None, None))
                elif read_listed != listed or self._rested_enough(read_at, rested):
                    pages.append(DuePage(product_id, etag, last_modified))
        return pages

    def read(self, product_id: int, digest: str, etag: str | None, last_modified: str | None) -> dict[str, Any]:
        """Note that a page was read; ``digest`` sums up its content. Returns the line to remember it by."""
        self._update(
            product_id,
            "rested = CASE WHEN digest = :digest AND version = :version THEN rested + 1 ELSE 0 END, digest = :digest,"
            " version = :version, etag = :etag, last_modified = :last_modified, unfiled = 0",
            digest=digest,
            version=self._version,
            etag=etag,
            last_modified=last_modified,
        )
        return self._line(product_id)

    def rests(self, product_id: int) -> dict[str, Any]:
        """Note that a page has not changed since it was read (304). Returns the line to remember it by."""
        self._update(product_id, "rested = rested + 1")
        return self._line(product_id)

    def gone(self, product_id: int) -> dict[str, Any]:
        """Note that there is no page of a listed product. Returns the line to remember it by."""
        self._update(
            product_id,
            "rested = CASE WHEN digest = :gone AND version = :version THEN rested + 1 ELSE 0 END, digest = :gone,"
            " version = :version, etag = NULL, last_modified = NULL",
            gone=GONE,
            version=self._version,
        )
        return self._line(product_id)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the next crawl needs to know; products that were not listed for a quarter of a year are forgotten."""
        rows = self._database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM page WHERE listed_at >= ? ORDER BY product_id",  # noqa: S608
            ((self._now - FORGET).isoformat(),),
        )
        for row in rows:
            yield dict(zip(COLUMNS, row, strict=True))

    def dump(self, path: Path) -> None:
        """Write the lines into a file of JSON lines."""
        with path.open("wb") as file:
            file.writelines(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in self.lines())

    def close(self) -> None:
        self._database.close()

    def _decide(self, most: int) -> list[Any]:
        """Some listed pages that were not decided on, which they are from now on."""
        return self._database.execute(
            """
            UPDATE page SET asked = 1
            WHERE product_id IN (SELECT product_id FROM page WHERE seen AND NOT asked ORDER BY product_id LIMIT ?)
            RETURNING product_id, listed, read_at, read_listed, version, rested, etag, last_modified
            """,
            (most,),
        ).fetchall()

    def _rested_enough(self, read_at: str, rested: int) -> bool:
        interval: timedelta = self._age * 2 ** min(rested, MOST_RESTED)
        return self._now - datetime.fromisoformat(read_at) >= interval

    def _update(self, product_id: int, changes: str, **values: object) -> None:
        """Change what is known of a page that was answered just now."""
        self._database.execute(
            f"UPDATE page SET {changes}, read_at = :now, read_listed = listed WHERE product_id = :id",  # noqa: S608
            {"id": product_id, "now": self._now.isoformat(), **values},
        )

    def _line(self, product_id: int) -> dict[str, Any]:
        row = self._database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM page WHERE product_id = ?",  # noqa: S608
            (product_id,),
        ).fetchone()
        return dict(zip(COLUMNS, row, strict=True))
