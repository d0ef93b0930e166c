"""What a crawl remembers of product pages, so that the next one reads only what is due.

A page is due when its product is new, when the listing shows another price or rate than when the page was read, when
the spider reads more from a page than it did then (``version``), or when it was read too long ago. A page that rests is
asked for less and less often: every unchanged reading doubles its interval, up to ``MOST_RESTED`` times.

The memory is a file of SQLite for the time of the crawl, since that takes the same room for a hundred thousand products
as for three thousand, and lines of JSON between crawls.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

MOST_RESTED = 2  # doublings
FORGET = timedelta(days=90)
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
        """Headers of a conditional request; none where the host never named an age."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value is not None}


class PageMemory:
    """The product pages of one source: which are listed in this crawl, and when each was read last.

    ``age``: how long a reading is good for. ``version``: of what the spider reads from a page. Instants are aware.
    """

    def __init__(self, path: Path, now: datetime, age: timedelta, version: int) -> None:
        self._now = now
        self._age = age
        self._version = version
        self._database = sqlite3.connect(path, isolation_level=None)
        # The file is worth nothing after its process: no journal, no waiting for the disk.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000;
            CREATE TABLE page (
                product_id INTEGER PRIMARY KEY, listed TEXT, listed_at TEXT, read_at TEXT, read_listed TEXT,
                version INTEGER, etag TEXT, last_modified TEXT, digest TEXT, rested INTEGER NOT NULL DEFAULT 0,
                seen INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0
            );
            """
        )

    def recall(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in what earlier crawls knew; a later line of a product replaces the earlier one."""
        statement = f"INSERT OR REPLACE INTO page ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 (names of our own)
        self._database.execute("BEGIN")
        self._database.executemany(
            statement, ([line.get(name) for name in COLUMNS[:-1]] + [line.get("rested") or 0] for line in lines)
        )
        self._database.execute("COMMIT")

    def see(self, product_id: int, listed: str) -> None:
        """Note that a product is listed in this crawl; ``listed`` sums up what the listing shows of it.

        A product that is listed in several ways counts with the one that sorts first, so that the order in which the
        pages come does not matter.
        """
        self._database.execute(
            """
            INSERT INTO page (product_id, listed, listed_at, seen) VALUES (:id, :listed, :at, 1)
            ON CONFLICT (product_id) DO UPDATE SET
                listed = CASE WHEN seen THEN min(listed, :listed) ELSE :listed END, listed_at = :at, seen = 1
            """,
            {"id": product_id, "listed": listed, "at": self._now.isoformat()},
        )

    def due(self, most: int) -> list[DuePage]:
        """The next ``most`` pages to ask for; each is given out once in a crawl."""
        rows = self._database.execute(
            "SELECT product_id, listed, read_at, read_listed, version, rested, etag, last_modified FROM page"
            " WHERE seen AND NOT asked ORDER BY product_id"
        )
        pages: list[DuePage] = []
        passed: list[tuple[int]] = []
        for product_id, listed, read_at, read_listed, version, rested, etag, last_modified in rows:
            passed.append((product_id,))
            if version != self._version:
                pages.append(DuePage(product_id, None, None))
            elif read_listed != listed or self._rested_enough(read_at, rested):
                pages.append(DuePage(product_id, etag, last_modified))
            if len(pages) == most:
                break
        self._database.executemany("UPDATE page SET asked = 1 WHERE product_id = ?", passed)
        return pages

    def read(self, product_id: int, digest: str, etag: str | None, last_modified: str | None) -> dict[str, Any]:
        """Note that a page was read; ``digest`` sums up its content. Returns the line to remember it by."""
        self._database.execute(
            """
            UPDATE page SET rested = CASE WHEN digest = :digest AND version = :version THEN rested + 1 ELSE 0 END,
                digest = :digest, version = :version, read_at = :at, read_listed = listed, etag = :etag,
                last_modified = :last_modified
            WHERE product_id = :id
            """,
            {
                "id": product_id,
                "digest": digest,
                "version": self._version,
                "at": self._now.isoformat(),
                "etag": etag,
                "last_modified": last_modified,
            },
        )
        return self._line(product_id)

    def rests(self, product_id: int) -> dict[str, Any]:
        """Note that a page has not changed since it was read (304). Returns the line to remember it by."""
        self._database.execute(
            "UPDATE page SET rested = rested + 1, read_at = ?, read_listed = listed WHERE product_id = ?",
            (self._now.isoformat(), product_id),
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
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines())

    def close(self) -> None:
        self._database.close()

    def _rested_enough(self, read_at: str, rested: int) -> bool:
        interval: timedelta = self._age * 2 ** min(rested, MOST_RESTED)
        return self._now - datetime.fromisoformat(read_at) >= interval

    def _line(self, product_id: int) -> dict[str, Any]:
        row = self._database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM page WHERE product_id = ?",  # noqa: S608
            (product_id,),
        ).fetchone()
        return dict(zip(COLUMNS, row, strict=True))
