"""Sources that fail, are wrong or change during a crawl: the databases hold correct rows, or the previous ones.

Each disturbance affects the second of two mornings. No row may be one that neither morning shows; if a crawl failed,
nothing of its source has changed; and after the disturbance the next crawl corrects everything.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, select

from artifacts.open import open_store
from artifacts.store import Store
from crawlers.runner.crawl import CrawlFailed
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import (
    Fault,
    broken_off,
    empty_day,
    half_day,
    renamed,
    reset,
    sometimes,
    stall,
    truncated,
    unavailable,
)
from crawlers.standin.server import Standin, running_standin
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import table_of
from sql.service import catalog as service_tables
from sql.warehouse import history as warehouse_tables
from tests.builders.preloaded_spiders import preloaded_spiders
from tests.e2e.killed_runs import Place, place
from tests.e2e.two_days import (
    DAY,
    DAYS,
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    Row,
    crawl_and_load,
    facts,
    first_catalog,
    second_catalog,
)

KOK, KOK_PRICE = table_of(service_tables.KokProduct), table_of(service_tables.KokPrice)
BROADCAST, FCT_BROADCAST = table_of(service_tables.Broadcast), table_of(warehouse_tables.FctBroadcast)
FCT_PRICE = table_of(warehouse_tables.FctPrice)
Facts = dict[str, Counter[Row]]

DAY_PAGES = (f"broadDay={DAY:%Y%m%d}", f"brodDt={DAY:%Y%m%d}", f"/{DAY:%Y%m%d}?")
DISTURBANCES: dict[str, list[Fault]] = {
    "a fifth of the answers are 503": [sometimes(unavailable(""), 0.2)],
    "connections are reset": [sometimes(reset(""), 0.2)],
    "answers stall for three seconds": [sometimes(stall("", 3.0), 0.02)],
    "bodies break off": [sometimes(broken_off(""), 0.2)],
    "bodies are cut short": [sometimes(truncated(""), 0.2)],
    "classes and keys are renamed": [
        renamed("category/uplus/page", "card-info_price"),
        renamed("tvschedule-list", "live-time"),
        renamed("tv-list", "brodStrtDtm"),
        renamed("media/schedule", "goodsCd"),
    ],
    "a day is empty": [*map(empty_day, DAY_PAGES), empty_day("code=1613")],
    "half a day is missing": [*map(half_day, DAY_PAGES), half_day("code=1613")],
}


@dataclass(frozen=True)
class World:
    """The sources, databases that can be restored to the first morning, and the correct rows of both mornings.

    ``last``: those of the second after another crawl, which proves what is gone.
    """

    standin: Standin
    place: Place
    first: Facts
    second: Facts
    last: Facts


@dataclass(frozen=True)
class Loaded:
    """Rows after a crawl and load of all sources, and the sources for which it failed."""

    rows: Facts
    failed: dict[str, CrawlFailed | FileHeldBack]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with place() as here, running_standin(first_catalog(), FIRST) as standin, preloaded_spiders():
        (here.var / "artifacts").mkdir()
        first = crawled(here, standin, FIRST)
        here.save()
        standin.show(second_catalog(), SECOND)
        second = crawled(here, standin, SECOND)
        last = crawled(here, standin, THIRD)
        assert first.failed == second.failed == last.failed == {}
        assert first.rows != second.rows != last.rows
        yield World(standin, here, first.rows, second.rows, last.rows)


def crawled(here: Place, standin: Standin, now: datetime) -> Loaded:
    service, warehouse = here.engines()
    try:
        results = crawl_and_load(service, warehouse, store(here), standin.settings, now)
        failed = {source: end for source, end in results.items() if isinstance(end, CrawlFailed | FileHeldBack)}
        return Loaded(facts(service, warehouse), failed)
    finally:
        engines: list[Engine] = [service, warehouse]
        for engine in engines:
            engine.dispose()


def store(here: Place) -> Store:
    return open_store(str(here.var / "artifacts"))


@pytest.fixture
def second_morning(world: World) -> Iterator[World]:
    """The first morning is loaded, and the sources show the second."""
    world.place.restore()
    world.standin.show(second_catalog(), SECOND)
    yield world
    world.standin.faults.rules.clear()


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_rows_are_correct_or_unchanged(second_morning: World, disturbance: str) -> None:
    world = second_morning
    world.standin.faults.rules[:] = DISTURBANCES[disturbance]
    disturbed = crawled(world.place, world.standin, SECOND)
    for table, rows in disturbed.rows.items():
        correct = world.first.get(table, Counter()) | world.second.get(table, Counter())
        assert rows - with_less_known(correct) == Counter(), table
    for source in (source for source, failure in disturbed.failed.items() if isinstance(failure, CrawlFailed)):
        assert of_source(disturbed.rows, source) == of_source(world.first, source)
    world.standin.faults.rules.clear()
    after = crawled(world.place, world.standin, THIRD)
    assert after.failed == {}
    # A product that is gone has vanished if the disturbed crawl had read its category in full.
    for table, rows in after.rows.items():
        newest = without_earlier_versions(rows)
        correct = world.second[table] | world.last[table]
        if table.endswith(" fct_price"):  # the list price of a page whose list was held back goes with no price
            correct = with_less_known(correct)
        assert newest - correct == Counter(), table
        assert newest.total() == without_earlier_versions(world.last[table]).total(), table


def of_source(rows: Facts, source: str) -> Facts:
    """Return the rows of a source: the mall has tables of its own, the others have a source column."""
    own = {table for table in rows if table.split()[-1].startswith("kok_")}
    named = {
        table: Counter({row: count for row, count in found.items() if ("source", source) in row})
        for table, found in rows.items()
        if table not in own
    }
    return named | {table: rows[table] for table in own if source == "kok"}


def with_less_known(rows: Counter[Row]) -> Counter[Row]:
    """Add to the rows what they are while the page with the list price, or the list with the rest, is unread."""
    less: list[dict[str, object]] = [{}, {"category": None}]
    less.append({"price": None, "price_kind": "unknown", "discount_rate": None})
    less += [{**each, "list_price": None} for each in less]
    found = rows
    for each in less:
        found = found | Counter(frozenset((name, each.get(name, value)) for name, value in row) for row in rows)
    return found


def without_earlier_versions(rows: Counter[Row]) -> Counter[Row]:
    """Return the rows that still hold: a product may have a version from before its list was read."""
    return Counter({row: count for row, count in rows.items() if ("valid_to", True) not in row})


def test_what_changes_and_changes_back(second_morning: World) -> None:
    """Prices A, B, A are three rows; what vanished and returned is there, what appeared and vanished is gone."""
    world = second_morning
    assert crawled(world.place, world.standin, SECOND).failed == {}
    world.standin.show(first_catalog(), SECOND)
    assert crawled(world.place, world.standin, THIRD).failed == {}
    assert crawled(world.place, world.standin, FOURTH).failed == {}
    service, warehouse = world.place.engines()
    with service.connect() as conn:
        series = prices(conn, KOK_PRICE, KOK_PRICE.c.kok_product_id)
        vanished = set(conn.scalars(select(KOK.c.kok_product_id).where(KOK.c.vanished_at.is_not(None))))
        on = on_the_schedule(conn, BROADCAST)
    with warehouse.connect() as conn:
        history = prices(conn, FCT_PRICE, FCT_PRICE.c.source_product_id, FCT_PRICE.c.source == "kok")
        assert on_the_schedule(conn, FCT_BROADCAST) == on
    service.dispose()
    warehouse.dispose()
    flipped = {1_000_000 + number for number in range(1, 46) if number % 7 == 3 or number == 5}
    assert {number for number, rows in series.items() if len(rows) == 3} == flipped
    for number in flipped:
        a, b, again = series[number]
        assert a == again != b
        assert history[number] == series[number]
    assert vanished == {1_000_027, 1_000_028}
    assert {start.hour for _, start, number in on if number == 10_000_005} == {20}  # 05:00 in Korea
    assert len(on) == shows_of_requested_days(first_catalog())


def prices(
    conn: Connection, table: Table, number: Column[Any], *where: ColumnElement[bool]
) -> dict[int, list[int | None]]:
    """Return the prices of each product, ordered by time."""
    series: dict[int, list[int | None]] = defaultdict(list)
    for product_id, price in conn.execute(select(number, table.c.price).where(*where).order_by(table.c.observed_at)):
        series[product_id].append(price)
    return series


def on_the_schedule(conn: Connection, table: Table) -> set[tuple[int, datetime, int]]:
    """Return channel, start and product of every show that is not cancelled."""
    columns = (table.c.channel_id, table.c.starts_at, table.c.source_product_id)
    return {(row[0], row[1], row[2]) for row in conn.execute(select(*columns).where(table.c.cancelled_at.is_(None)))}


def shows_of_requested_days(catalog: Catalog) -> int:
    """Count the shows of the catalog that start on a requested day."""
    days = {DAY + timedelta(days=ahead) for ahead in range(DAYS)}
    night = {2, 3}  # channels whose broadcast day turns at 05:20
    return sum(
        show.broadcast_date + timedelta(days=show.channel_id in night and show.start < "05:20") in days
        for show in catalog.shows
    )
