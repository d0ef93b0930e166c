"""What is known of image addresses: which are wanted, and what was found at those that were asked.

A file of SQLite for the time of the crawl, and lines of JSON between crawls.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawlers.state.http_validators import conditional_headers

KNOWN_FOR = timedelta(days=30)
AFTER_FAULT = timedelta(days=1)
FORGET = timedelta(days=90)


@dataclass(frozen=True)
class DueImage:
    """The address of an image to ask for, and what its last answer said of its age."""

    url: str
    etag: str | None
    last_modified: str | None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the request for it."""
        return conditional_headers(self.etag, self.last_modified)


@dataclass(frozen=True)
class KeptImage:
    """What was found at an address: the hash of its bytes, how they are coded, and their size in pixels and bytes."""

    sha256: str
    ending: str
    width: int
    height: int
    bytes: int
    etag: str | None
    last_modified: str | None


class ImageMemory:
    """The image addresses of one source. ``now`` (aware) is the instant that the crawl counts as."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        # The file is worth nothing after its process: no journal, no waiting for the disk.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000;
            CREATE TABLE image (
                url TEXT PRIMARY KEY, seen_at TEXT NOT NULL, asked_at TEXT, sha256 TEXT, ending TEXT, width INTEGER,
                height INTEGER, bytes INTEGER, etag TEXT, last_modified TEXT, given INTEGER NOT NULL DEFAULT 0
            );
            CREATE INDEX next_due ON image (given, asked_at);
            """
        )

    def recall(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in what earlier crawls knew."""
        self._database.execute("BEGIN")
        self._database.executemany(
            """
            INSERT INTO image (url, seen_at, asked_at, sha256, ending, width, height, bytes, etag, last_modified)
            VALUES (:url, :seen_at, :asked_at, :sha256, :ending, :width, :height, :bytes, :etag, :last_modified)
            """,
            lines,
        )
        self._database.execute("COMMIT")

    def see(self, url: str) -> None:
        """Note that a page of this crawl shows an image."""
        self._database.execute(
            "INSERT INTO image (url, seen_at) VALUES (?, ?) ON CONFLICT (url) DO UPDATE SET seen_at = excluded.seen_at",
            (url, self._now.isoformat()),
        )

    def due(self, most: int) -> list[DueImage]:
        """The next ``most`` images to ask for, the new ones first; each is given out once in a crawl.

        An image is due when it was never asked for; when it is seen again a month after it was; or, if no image was
        found at its address, a day after.
        """
        rows = self._database.execute(
            f"SELECT url, etag, last_modified FROM image WHERE {self._DUE} ORDER BY asked_at LIMIT :most",  # noqa: S608
            self._instants | {"most": most},
        ).fetchall()
        self._database.executemany("UPDATE image SET given = 1 WHERE url = ?", [(row["url"],) for row in rows])
        return [DueImage(*row) for row in rows]

    def count_due(self) -> int:
        """How many images are due and were not given out."""
        query = f"SELECT count(*) FROM image WHERE {self._DUE}"  # noqa: S608
        return int(self._database.execute(query, self._instants).fetchone()[0])

    def keep(self, url: str, kept: KeptImage) -> None:
        """Note what was found at an address."""
        self._database.execute(
            """
            UPDATE image SET asked_at = ?, sha256 = ?, ending = ?, width = ?, height = ?, bytes = ?, etag = ?,
                last_modified = ?
            WHERE url = ?
            """,
            (self._now.isoformat(), *astuple(kept), url),
        )

    def ask_later(self, url: str) -> None:
        """Note that an address was asked, and that nothing new was found there."""
        self._database.execute("UPDATE image SET asked_at = ? WHERE url = ?", (self._now.isoformat(), url))

    def leave(self, url: str) -> None:
        """Take back an image that was given out: it is due as before."""
        self._database.execute("UPDATE image SET given = 0 WHERE url = ?", (url,))

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the next crawl needs to know; images that no page showed for a quarter of a year are forgotten."""
        rows = self._database.execute(
            """
            SELECT url, seen_at, asked_at, sha256, ending, width, height, bytes, etag, last_modified
            FROM image WHERE seen_at >= ? ORDER BY url
            """,
            ((self._now - FORGET).isoformat(),),
        )
        return map(dict, rows)

    def close(self) -> None:
        self._database.close()

    _DUE = """NOT given AND (asked_at IS NULL OR
        (seen_at = :now AND asked_at <= CASE WHEN sha256 IS NULL THEN :day_ago ELSE :month_ago END))"""

    @property
    def _instants(self) -> dict[str, Any]:
        return {
            "now": self._now.isoformat(),
            "day_ago": (self._now - AFTER_FAULT).isoformat(),
            "month_ago": (self._now - KNOWN_FOR).isoformat(),
        }
