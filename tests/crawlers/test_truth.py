"""A crawl of the demo catalog yields exactly the expected items, with every field."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.items import HomeShoppingProduct, KokPrice, KokProduct, Show
from crawlers.standin.catalog import load_catalog
from crawlers.standin.server import Standin, running_standin
from tests.builders import truth
from tests.builders.small_crawl import DAY, crawl_into

CATALOG = load_catalog()
AFTERNOON = datetime(2025, 8, 6, 8, 10, tzinfo=UTC)  # 17:10 in Korea
DAYS = 3


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running_standin(CATALOG, AFTERNOON) as running:
        yield running


def test_kok(standin: Standin, tmp_path: Path) -> None:
    found = crawl_into(tmp_path, "kok", standin.settings, now=AFTERNOON)
    assert truth.by_key(truth.read(KokPrice, found.items["prices"])) == truth.by_key(
        truth.kok_prices(CATALOG, AFTERNOON)
    )
    products = truth.by_key(truth.read(KokProduct, found.items["products"]))
    assert products == truth.by_key(truth.kok_products(CATALOG, AFTERNOON))
    assert [fault for report in found.reports.values() for fault in report.faults] == []


@pytest.mark.parametrize("source", truth.CHANNELS)
def test_broadcasters(standin: Standin, tmp_path: Path, source: str) -> None:
    found = crawl_into(tmp_path, source, standin.settings, days=DAYS, now=AFTERNOON)
    shows = truth.by_key(truth.shows(CATALOG, source, DAY, DAYS, AFTERNOON))
    assert truth.by_key(truth.read(Show, found.items["schedule"])) == shows
    assert any(show["on_air"] for show in shows.values()) == (source == "hnsmall")
    products = truth.by_key(truth.read(HomeShoppingProduct, found.items["products"]))
    assert products == truth.by_key(truth.home_shopping_products(CATALOG, source, DAY, DAYS, AFTERNOON))
