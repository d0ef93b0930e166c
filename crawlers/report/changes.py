"""Changes since the last crawl, computed from the raw files of both.

A product has vanished, and a show is cancelled, only if every scope that listed it was read in full this time; a
product has returned, and a show is added, only if its scope was read in full the last time. The rows of both crawls go
into a temporary SQLite file, so that a hundred thousand products take no more memory than a hundred.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from artifacts.raw import DAMAGED_ITEMS, RawRun, UnreadableReport, read_items
from artifacts.store import Store
from crawlers.run_report import read_crawl_report

MAX_LISTED = 10
BEFORE, NOW = 0, 1
TABLES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;
    CREATE TABLE scope (run INTEGER, scope TEXT, complete INTEGER, PRIMARY KEY (run, scope)) WITHOUT ROWID;
    CREATE TABLE known (product_id INTEGER PRIMARY KEY);
    CREATE TABLE listed (
        run INTEGER, scope TEXT, product_id INTEGER, price INTEGER, name TEXT, page_url TEXT,
        channel_id INTEGER, starts_at TEXT, ends_at TEXT
    ) STRICT;
"""
VIEWS = """
    CREATE INDEX listed_product ON listed (run, product_id);
    CREATE VIEW offer AS
        SELECT run, product_id, min(price) AS price, max(name) AS name, min(page_url) AS page_url
        FROM listed GROUP BY run, product_id;
    CREATE VIEW covered AS  -- with whether the other crawl read the row's scope in full
        SELECT listed.*, coalesce(scope.complete, 0) AS is_covered
        FROM listed LEFT JOIN scope ON scope.scope = listed.scope AND scope.run = 1 - listed.run;
    CREATE VIEW only AS  -- products that one crawl lists and the other does not
        SELECT run, product_id, min(is_covered) AS is_covered FROM covered
        WHERE NOT EXISTS (
            SELECT 1 FROM listed AS o WHERE o.run = 1 - covered.run AND o.product_id = covered.product_id
        )
        GROUP BY run, product_id;
    CREATE VIEW unmatched AS  -- shows that the other crawl does not have at this time, numbered by product
        SELECT *, row_number() OVER (PARTITION BY run, channel_id, product_id ORDER BY ends_at) AS nth FROM covered
        WHERE is_covered AND NOT EXISTS (
            SELECT 1 FROM listed AS o WHERE o.run = 1 - covered.run AND o.product_id = covered.product_id
                AND o.channel_id = covered.channel_id AND o.ends_at = covered.ends_at
                AND coalesce(o.starts_at = covered.starts_at, 1)  -- a hidden start matches any
        );
"""
PRICES = """
    SELECT product_id, now.name, now.page_url, before.price, now.price
    FROM offer AS now JOIN offer AS before USING (product_id)
    WHERE now.run = 1 AND before.run = 0 AND now.price <> before.price
    ORDER BY abs(1.0 * now.price / before.price - 1) DESC, product_id
"""
SHOWS = """
    SELECT coalesce(now.channel_id, before.channel_id), coalesce(now.product_id, before.product_id),
        coalesce(now.name, before.name), before.starts_at, before.ends_at, now.starts_at, now.ends_at
    FROM (SELECT * FROM unmatched WHERE run = 0) AS before FULL JOIN (SELECT * FROM unmatched WHERE run = 1) AS now
        ON now.channel_id = before.channel_id AND now.product_id = before.product_id AND now.nth = before.nth
    ORDER BY coalesce(now.ends_at, before.ends_at), 1, 2
"""


class NotComparable(Exception):
    """A file of an earlier crawl is damaged; the message says which and how."""


@dataclass(frozen=True)
class PriceChange:
    """A changed price, in won; ``name`` is None in a mall's list."""

    product_id: int
    name: str | None
    page_url: str
    before: int
    after: int

    @property
    def percent(self) -> float:
        """Change in percent; negative if the price fell."""
        return 100 * (self.after - self.before) / self.before


@dataclass(frozen=True)
class ShowChange:
    """A product of a show that is new (no ``before``), gone (no ``after``) or at another time.

    ``before`` and ``after`` are start and end; the start is None where the page of a show on air hides it.
    """

    channel_id: int
    product_id: int
    name: str
    before: tuple[datetime | None, datetime] | None
    after: tuple[datetime | None, datetime] | None

    @property
    def kind(self) -> str:
        """``added``, ``cancelled`` or ``moved``."""
        if self.before is None:
            return "added"
        return "cancelled" if self.after is None else "moved"


@dataclass(frozen=True)
class Changes:
    """Differences to the crawl ``since``.

    ``new`` products were never seen before, ``returned`` ones were, but not by the last crawl. A broadcaster's products
    come and go with its shows, so ``returned`` and ``vanished`` are None there; ``added``, ``cancelled`` and ``moved``
    are None for the mall. ``percents`` counts the changed prices by whole percent. ``biggest`` and ``shows`` hold at
    most ``MAX_LISTED``.
    """

    since: str
    new: int
    returned: int | None
    vanished: int | None
    cheaper: int
    dearer: int
    percents: dict[int, int]
    biggest: list[PriceChange]
    added: int | None
    cancelled: int | None
    moved: int | None
    shows: list[ShowChange]


def compare(store: Store, before: RawRun, now: RawRun, known: Iterable[int]) -> Changes:
    """Compare two crawls by their listings: the dataset ``prices`` of the mall or ``schedule`` of a broadcaster.

    ``known``: ids of the products that earlier crawls have seen. Raise :class:`NotComparable` if what earlier crawls
    have left is damaged.
    """
    with _database() as database:
        with _reading_earlier(before.stem):
            _insert(database, BEFORE, store, before)
        _insert(database, NOW, store, now)
        with _reading_earlier("the page state"):
            database.executemany("INSERT OR IGNORE INTO known VALUES (?)", ((number,) for number in known))
        database.executescript(VIEWS)
        is_mall = now.dataset == "prices"
        return Changes(
            since=before.run_id, **_products(database, is_mall), **_prices(database), **_shows(database, is_mall)
        )


@contextmanager
def _reading_earlier(what: str) -> Iterator[None]:
    try:
        yield
    except UnreadableReport as error:
        raise NotComparable(str(error)) from error
    except (*DAMAGED_ITEMS, sqlite3.Error) as error:
        raise NotComparable(f"{what} cannot be read: {type(error).__name__}: {error}") from error


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory(prefix="ukok-report-") as folder,
        closing(sqlite3.connect(Path(folder) / "changes.sqlite", isolation_level=None)) as database,
    ):
        database.executescript(TABLES)
        yield database


def _insert(database: sqlite3.Connection, run: int, store: Store, raw: RawRun) -> None:
    scopes = ((run, _key(scope.key), scope.complete) for scope in read_crawl_report(store, raw).scopes)
    database.executemany("INSERT INTO scope VALUES (?, ?, ?)", scopes)
    rows = ((run, *_listed(item)) for item in read_items(store, raw))
    database.execute("BEGIN")
    database.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute("COMMIT")


def _listed(item: Any) -> tuple[object, ...]:  # noqa: ANN401 (a line of a file)
    if not isinstance(item, Mapping):
        raise TypeError(f"{item!r} is no item")
    common = tuple(
        item.get(name) for name in ("price", "product_name", "page_url", "channel_id", "starts_at", "ends_at")
    )
    if "kok_product_id" in item:
        return (_key({"category": item["category"]}), item["kok_product_id"], *common)
    return (_key({"channel_id": item["channel_id"], "day": item["requested_day"]}), item["source_product_id"], *common)


def _key(scope: Mapping[str, Any]) -> str:
    return json.dumps(scope, sort_keys=True)


def _products(database: sqlite3.Connection, is_mall: bool) -> dict[str, Any]:
    appeared = "SELECT count(*) FROM only WHERE run = 1 AND product_id"
    (new,) = database.execute(f"{appeared} NOT IN known").fetchone()
    (returned,) = database.execute(f"{appeared} IN known AND is_covered").fetchone()
    (vanished,) = database.execute("SELECT count(*) FROM only WHERE run = 0 AND is_covered").fetchone()
    return {"new": new, "returned": returned if is_mall else None, "vanished": vanished if is_mall else None}


def _prices(database: sqlite3.Connection) -> dict[str, Any]:
    percents: Counter[int] = Counter()
    biggest: list[PriceChange] = []
    cheaper = 0
    for row in database.execute(PRICES):
        change = PriceChange(*row)
        percents[round(change.percent)] += 1
        cheaper += change.after < change.before
        if len(biggest) < MAX_LISTED:
            biggest.append(change)
    dearer = percents.total() - cheaper
    return {"cheaper": cheaper, "dearer": dearer, "percents": dict(sorted(percents.items())), "biggest": biggest}


def _shows(database: sqlite3.Connection, is_mall: bool) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    listed: list[ShowChange] = []
    if is_mall:
        return {"added": None, "cancelled": None, "moved": None, "shows": listed}
    for channel, product, name, *times in database.execute(SHOWS):
        change = ShowChange(channel, product, name, _times(*times[:2]), _times(*times[2:]))
        kinds[change.kind] += 1
        if len(listed) < MAX_LISTED:
            listed.append(change)
    return {kind: kinds[kind] for kind in ("added", "cancelled", "moved")} | {"shows": listed}


def _times(starts_at: str | None, ends_at: str | None) -> tuple[datetime | None, datetime] | None:
    if ends_at is None:
        return None
    return (datetime.fromisoformat(starts_at) if starts_at else None, datetime.fromisoformat(ends_at))
