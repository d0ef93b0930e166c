"""Two mornings of four small sources, with many changes on the second.

Prices rise, fall and return, products vanish, return and appear, shows are moved, cancelled and added: every kind of
change that an interrupted crawl or load can get wrong occurs once.
"""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, select
from sqlalchemy.dialects.postgresql import distinct_on

from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.registry import sources
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.catalog import Catalog
from pipelines.load.gates import FileHeldBack
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service.base import ServiceBase
from sql.warehouse.base import WarehouseBase
from tests.builders.small_crawl import catalog, kok, show

Row = frozenset[tuple[str, object]]

DAY = date(2025, 8, 6)
DAYS = 2
FIRST = datetime(2025, 8, 6, 1, 30, tzinfo=UTC)  # 10:30 in Korea
SECOND = FIRST + timedelta(hours=3)
THIRD = SECOND + timedelta(hours=3)
FOURTH = THIRD + timedelta(hours=3)

# Tables about loading itself, and columns that a database fills by itself.
LEDGERS = {"loaded_file", "step_run", "data_version"}
GIVEN = {"broadcast_id", "product_key", "review_id", "item_id"}
# Columns with the instant of an observation, and of its end.
SINCE = {"observed_at", "first_seen_at", "valid_from"}
ENDED = {"cancelled_at", "vanished_at", "valid_to"}


def first_catalog() -> Catalog:
    """Return the sources on the first morning."""
    return _catalog(
        prices={number: {} for number in range(1, 46) if number not in (27, 28)},
        hours=range(24),
        dtv_title="첫째 날",
    )


def second_catalog() -> Catalog:
    """Return the sources on the second morning: every seventh price changed, three products are gone, two new."""
    changed: dict[int, dict[str, object]] = {
        number: {"list_price": 20_000 + number, "discount_rate": 30} if number % 7 == 3 else {}
        for number in range(1, 46)
        if number not in (33, 34, 44)
    }
    changed[5] = {"product_name": "햇감자 5kg 새 포장", "list_price": 30_000}
    return _catalog(prices=changed, hours=[hour for hour in range(24) if hour % 6 != 5], dtv_title="둘째 날")


def crawl_and_load(
    service: Engine, warehouse: Engine, store: Store, settings: CrawlSettings, now: datetime
) -> dict[str, CrawlFailed | FileHeldBack | list[Report]]:
    """Crawl and load all sources in parallel; return the Reports of each, or the failure that ended it."""

    def one(source: str) -> CrawlFailed | FileHeldBack | list[Report]:
        try:
            crawl(source, DAY, DAYS, now, store, settings)
            return load_source(source, service, warehouse, store)
        except (CrawlFailed, FileHeldBack) as failure:
            return failure

    with ThreadPoolExecutor() as pool:
        names = sources(settings)
        return dict(zip(names, pool.map(one, names), strict=True))


def contents(service: Engine, warehouse: Engine) -> dict[str, list[str]]:
    """Return all rows that loading writes, by table, without generated columns."""
    found: dict[str, list[str]] = {}
    for engine, metadata in ((service, ServiceBase.metadata), (warehouse, WarehouseBase.metadata)):
        with engine.connect() as conn:
            for table in metadata.sorted_tables:
                if table.name not in LEDGERS:
                    rows = conn.execute(select(*_columns(table)))
                    found[f"{engine.url.database} {table.name}"] = sorted(repr(tuple(row)) for row in rows)
    return {name: rows for name, rows in found.items() if rows}


def facts(service: Engine, warehouse: Engine) -> dict[str, Counter[Row]]:
    """Return all rows without the instants of crawls, and only the last of the list prices of a product."""
    found: dict[str, Counter[Row]] = {}
    for engine, metadata in ((service, ServiceBase.metadata), (warehouse, WarehouseBase.metadata)):
        with engine.connect() as conn:
            for table in metadata.sorted_tables:
                if table.name not in LEDGERS:
                    found[f"{engine.url.database} {table.name}"] = Counter(_rows(conn, table))
    return {name: rows for name, rows in found.items() if rows}


def _rows(conn: Connection, table: Table) -> Iterable[Row]:
    names = [column.name for column in _columns(table) if column.name not in SINCE]
    statement = select(*(table.c[name] for name in names))
    if table.name == "fct_price":
        # If a page could not be read, the list price of a new price is unknown until the next crawl.
        key = (table.c.source, table.c.source_product_id)
        statement = statement.ext(distinct_on(*key)).order_by(*key, table.c.observed_at.desc())
    for row in conn.execute(statement).mappings():
        yield frozenset((name, value is not None if name in ENDED else value) for name, value in row.items())


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in GIVEN]


def _catalog(prices: dict[int, dict[str, object]], hours: Iterable[int], dtv_title: str) -> Catalog:
    # No category is empty; one has more than a page.
    products = [
        kok(1_000_000 + number, category=CATEGORIES[number % 13 if number < 20 else 1], **values)
        for number, values in prices.items()
    ]
    shows = []
    shown = list(hours)
    for on in range(-1, DAYS):
        for hour in shown:
            start, end = f"{hour:02}:00", f"{hour:02}:50"
            shows.append(show(1, start, end, 10_000_000 + hour, on=on))
            if hour % 3 == 0:
                shows.append(show(1, start, end, 10_000_100 + hour, "sub", on=on))
                shows.append(show(2, start, end, 2_200_000_000 + hour, on=on))
                shows.append(show(2, start, end, 2_200_000_100 + hour, "sub", on=on))
                shows.append(show(3, start, end, 2_300_000_000 + hour, on=on, title=dtv_title))
            if hour % 2:
                shows.append(show(4, start, end, 40_000_000 + hour, on=on))
                shows.append(show(5, start, end, 50_000_000 + hour, on=on, dc_price=30_000 + 100 * hour))
    return catalog(kok=products, shows=shows)
