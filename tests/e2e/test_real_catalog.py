"""Real pages and real recipes, all the way into both databases: all there, none doubled, and nothing on a second go."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select

from artifacts.open import open_store
from artifacts.store import Store
from crawlers.runner.crawl import crawl
from crawlers.standin.catalog import load_catalog
from crawlers.standin.server import running_standin
from pipelines.load.recipes import import_recipes
from pipelines.load.sources import load_source
from sql.service.catalog import Broadcast, KokPrice, KokProduct
from sql.service.recipes import Recipe, RecipeIngredient
from sql.warehouse.history import DimProduct, FctBroadcast, FctPrice
from tests.builders.preloaded_spiders import preloaded_spiders
from tests.conftest import servers_only

SOURCES = ("kok", "hnsmall", "hmall", "nsmall")
DAY, DAYS = date(2025, 8, 6), 5
NOON = datetime(2025, 8, 6, 12, tzinfo=ZoneInfo("Asia/Seoul"))


@pytest.fixture(scope="module")
def crawled(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two crawls of the same pages, an hour apart. The stand-in's clock is a year on: no show is on air."""
    store = open_store(str(tmp_path_factory.mktemp("raw")))
    year_later = datetime(2026, 8, 6, tzinfo=UTC)
    with running_standin(load_catalog(shared_data), year_later) as standin, preloaded_spiders():
        for at in (NOON, NOON + timedelta(hours=1)):
            for source in SOURCES:
                crawl(source, DAY, DAYS, at, store, standin.settings)
    return store


def _instants(row: dict[str, Any]) -> tuple[datetime, datetime]:
    """Start and end of a row of broadcasts.jsonl; the broadcast day of hmall turns at 05:20."""
    day = datetime.strptime(row["broadcast_date"], "%Y%m%d").replace(tzinfo=UTC) - timedelta(hours=9)
    if row["channel_id"] in (2, 3) and row["start"] < "05:20":
        day += timedelta(days=1)
    start, end = (day + timedelta(hours=int(row[name][:2]), minutes=int(row[name][3:])) for name in ("start", "end"))
    return start, end if end > start else end + timedelta(days=1)


@servers_only
def test_every_product_show_and_recipe_is_in_the_databases_once(
    crawled: Store, service: Engine, warehouse: Engine, shared_data: Path
) -> None:
    for source in SOURCES:
        load_source(source, service, warehouse, crawled)
    csv = shared_data / "TB_RECIPE_SEARCH_sample.csv"
    import_recipes(service, warehouse, crawled, csv, NOON)
    broadcasts = [json.loads(line) for line in (shared_data / "broadcasts.jsonl").read_text("utf-8").splitlines()]
    expected = Counter((row["channel_id"], *_instants(row), row["product_id"]) for row in broadcasts)
    assert sum(expected.values()) == 1392
    for engine, table in ((service, Broadcast), (warehouse, FctBroadcast)):
        columns = (table.channel_id, table.starts_at, table.ends_at, table.source_product_id)
        with engine.connect() as conn:
            rows = conn.execute(select(*columns).where(table.cancelled_at.is_(None)))
            assert Counter(map(tuple, rows)) == expected
    assert _count(service, KokProduct.kok_product_id) == 2866
    # The second crawl showed the same prices: a row for each product, and no more.
    assert _count(service, KokPrice.kok_product_id) == 2866
    assert _count(service, Recipe.recipe_id) == 11458
    shows = {(row["source"].split("_")[0], row["product_id"]) for row in broadcasts}
    assert _count(warehouse, DimProduct.product_key) == 2866 + len(shows)
    prices = _count(warehouse, FctPrice.source)

    lines = _count(service, RecipeIngredient.recipe_id)
    again = [report for source in SOURCES for report in load_source(source, service, warehouse, crawled)]
    again += import_recipes(service, warehouse, crawled, csv, NOON + timedelta(hours=2))
    assert {report.step: report.written for report in again if report.written} == {}
    assert _count(warehouse, FctPrice.source) == prices
    assert _count(service, RecipeIngredient.recipe_id) == lines


def _count(engine: Engine, column: Any) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count(column))) or 0
