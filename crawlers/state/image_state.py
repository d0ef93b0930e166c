"""Incremental-crawl state of image URLs: which are due, and the hash, size and validators of those fetched.

An SQLite file during the crawl, rows of JSON between crawls.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from crawlers.state.http_validators import conditional_headers

REFETCH_AFTER = timedelta(days=30)
RETRY_AFTER = timedelta(days=1)
FORGET_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image URL between crawls: when a page last showed it, when it was requested, and what was stored of it.

    Instants are ISO 8601 in UTC; the other fields are those of :class:`StoredImage`, None if none was stored.
    """

    url: str
    seen_at: str
    asked_at: str | None
    sha256: str | None
    ending: str | None
    width: int | None
    height: int | None
    bytes: int | None
    etag: str | None
    last_modified: str | None


IMAGE_ROW = TypeAdapter(ImageRow)
_COLUMNS = tuple(field.name for field in fields(ImageRow))
_values = attrgetter(*_COLUMNS)


@dataclass(frozen=True)
class DueImage:
    """URL of an image to request, and the validators of its last response."""

    url: str
    etag: str | None
    last_modified: str | None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the conditional request."""
        return conditional_headers(self.etag, self.last_modified)


@dataclass(frozen=True)
class StoredImage:
    """An image that was fetched: hash of its bytes, file ending, size in pixels and bytes, validators."""

    sha256: str
    ending: str
    width: int
    height: int
    bytes: int
    etag: str | None
    last_modified: str | None


class ImageState:
    """The image URLs of one source. ``now`` (aware) is the instant that the crawl counts as."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        # The file does not outlive its process: no journal, no waiting for the disk.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000;
            CREATE TABLE image (
                url TEXT PRIMARY KEY, seen_at TEXT NOT NULL, asked_at TEXT, sha256 TEXT, ending TEXT, width INTEGER,
                height INTEGER, bytes INTEGER, etag TEXT, last_modified TEXT, claimed INTEGER NOT NULL DEFAULT 0
            );
            CREATE INDEX next_due ON image (claimed, asked_at);
            """
        )

    def load(self, rows: Iterable[ImageRow]) -> None:
        """Load the rows that the last crawl left."""
        statement = f"INSERT INTO image ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
        self._database.execute("BEGIN")
        self._database.executemany(statement, map(_values, rows))
        self._database.execute("COMMIT")

    def mark_seen(self, url: str) -> None:
        """Record that a page of this crawl shows an image."""
        self._database.execute(
            "INSERT INTO image (url, seen_at) VALUES (?, ?) ON CONFLICT (url) DO UPDATE SET seen_at = excluded.seen_at",
            (url, self._now.isoformat()),
        )

    def claim_due(self, limit: int) -> list[DueImage]:
        """Claim up to ``limit`` images to request, the new ones first; each is claimed once in a crawl.

        An image is due if it was never requested, if it is seen again a month after its last request, or, where the
        URL had no image, a day after.
        """
        rows = self._database.execute(
            f"SELECT url, etag, last_modified FROM image WHERE {self._DUE} ORDER BY asked_at LIMIT :limit",  # noqa: S608
            self._instants | {"limit": limit},
        ).fetchall()
        self._database.executemany("UPDATE image SET claimed = 1 WHERE url = ?", [(row["url"],) for row in rows])
        return [DueImage(*row) for row in rows]

    def count_due(self) -> int:
        """Return how many images are due and not claimed."""
        query = f"SELECT count(*) FROM image WHERE {self._DUE}"  # noqa: S608
        return int(self._database.execute(query, self._instants).fetchone()[0])

    def mark_stored(self, url: str, image: StoredImage) -> None:
        """Record the image that was fetched from a URL."""
        self._database.execute(
            """
            UPDATE image SET asked_at = ?, sha256 = ?, ending = ?, width = ?, height = ?, bytes = ?, etag = ?,
                last_modified = ?
            WHERE url = ?
            """,
            (self._now.isoformat(), *astuple(image), url),
        )

    def mark_requested(self, url: str) -> None:
        """Record that a URL was requested and had nothing new."""
        self._database.execute("UPDATE image SET asked_at = ? WHERE url = ?", (self._now.isoformat(), url))

    def release(self, url: str) -> None:
        """Release a claimed image: it is due as before."""
        self._database.execute("UPDATE image SET claimed = 0 WHERE url = ?", (url,))

    def rows(self) -> Iterator[ImageRow]:
        """Yield the rows for the next crawl, without images that no page has shown for 90 days."""
        rows = self._database.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM image WHERE seen_at >= ? ORDER BY url",  # noqa: S608
            ((self._now - FORGET_AFTER).isoformat(),),
        )
        return (ImageRow(*row) for row in rows)

    def close(self) -> None:
        self._database.close()

    _DUE = """NOT claimed AND (asked_at IS NULL OR
        (seen_at = :now AND asked_at <= CASE WHEN sha256 IS NULL THEN :day_ago ELSE :month_ago END))"""

    @property
    def _instants(self) -> dict[str, Any]:
        return {
            "now": self._now.isoformat(),
            "day_ago": (self._now - RETRY_AFTER).isoformat(),
            "month_ago": (self._now - REFETCH_AFTER).isoformat(),
        }
