"""A catalog of real size, crawled end to end; expected instants and prices are computed here from its rows."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.standin.catalog import load_catalog
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import crawl_into


@pytest.fixture(scope="module")
def standin(shared_data: Path) -> Iterator[Standin]:
    # The stand-in's clock is a year on: no show is on air.
    with running_standin(load_catalog(shared_data), datetime(2026, 8, 6, tzinfo=UTC)) as running:
        yield running


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def instant(day: datetime, clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return day + timedelta(hours=int(hours) - 9, minutes=int(minutes))


def single_spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip())


def expected(row: dict[str, Any]) -> tuple[Any, ...]:
    day = datetime.strptime(row["broadcast_date"], "%Y%m%d").replace(tzinfo=UTC)
    if row["channel_id"] in (2, 3) and row["start"] < "05:20":
        day += timedelta(days=1)
    start, end = instant(day, row["start"]), instant(day, row["end"])
    if row["end"] < row["start"]:
        end += timedelta(days=1)
    if row["channel_id"] == 1:
        prices = (None, row["sale_price"])
    else:
        prices = (row["sale_price"] or None, row["dc_price"] or None)
    return (
        row["channel_id"],
        row["slot"],
        row["product_id"],
        single_spaced(row["product_name"]),
        row["title"],
        start,
        end,
        day.date().isoformat(),
        *prices,
        row["thumbnail_url"].replace("http://product-image.prod-nsmall.com/", "https://product-image.prod-nsmall.com/"),
    )


def found(show: dict[str, Any]) -> tuple[Any, ...]:
    names = ("channel_id", "slot", "source_product_id", "product_name", "title")
    instants = (datetime.fromisoformat(show["starts_at"]), datetime.fromisoformat(show["ends_at"]))
    rest = ("requested_day", "list_price", "price", "thumbnail_url")
    return (*(show[name] for name in names), *instants, *(show[name] for name in rest))


@pytest.mark.parametrize(("source", "channels"), [("hnsmall", (1,)), ("hmall", (2, 3)), ("nsmall", (4, 5))])
def test_every_broadcast_is_found_once_with_times_and_prices(
    source: str, channels: tuple[int, ...], standin: Standin, shared_data: Path, tmp_path: Path
) -> None:
    crawled = crawl_into(tmp_path, source, standin.settings, days=5)
    broadcasts = [row for row in rows(shared_data / "broadcasts.jsonl") if row["channel_id"] in channels]
    assert broadcasts
    assert Counter(map(found, crawled.shows)) == Counter(map(expected, broadcasts))
    listed = {(row["channel_id"], expected(row)[7]) for row in broadcasts}
    for scope in crawled.reports["schedule"].scopes:
        assert scope.complete == ((scope.key["channel_id"], scope.key["day"]) in listed)


def test_every_product_is_found_once_with_its_price_and_page(
    standin: Standin, shared_data: Path, tmp_path: Path
) -> None:
    crawled = crawl_into(tmp_path, "kok", standin.settings)
    products = {row["product_id"]: row for row in rows(shared_data / "kok_products.jsonl")}
    prices = {item["kok_product_id"]: item for item in crawled.items["prices"]}
    pages = {item["kok_product_id"]: item for item in crawled.items["products"]}
    assert len(crawled.items["prices"]) == len(crawled.items["products"]) == len(products) == 2_866
    assert prices.keys() == pages.keys() == products.keys()
    for number, row in products.items():
        for name in ("store_name", "list_price", "review_score", "review_count"):
            assert pages[number][name] == row[name]
        assert pages[number]["product_name"] == single_spaced(row["product_name"])
        price, rate = prices[number]["price"], prices[number]["discount_rate"]
        if row["list_price"]:
            assert abs(price - row["list_price"] * (100 - rate) / 100) <= 5
        else:
            assert (price > 0, rate) == (True, 0)
    for report in crawled.reports.values():
        assert all(scope.complete for scope in report.scopes)
        assert report.faults == []
