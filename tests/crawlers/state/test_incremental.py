"""Consecutive crawls: which pages are read again, and the daily request budget."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from artifacts.open import open_store
from crawlers.items import CATEGORIES
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import Fault, replaced
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, Crawled, catalog, crawl_into, kok

NUMBERS = range(1_000_001, 1_000_031)
HOUR, WEEK = timedelta(hours=1), timedelta(days=8)


def shop(**changed: Any) -> Catalog:
    """Thirty products in all categories; ``p1000004={...}`` changes one of them."""
    return catalog(
        kok=[
            kok(number, category=CATEGORIES[number % len(CATEGORIES)], **changed.get(f"p{number}", {}))
            for number in NUMBERS
        ]
    )


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running_standin(shop(), NOON) as running:
        yield running


def pages_requested(standin: Standin) -> list[int]:
    """Ids of the product pages requested since the last call."""
    targets = [urlsplit(target) for _, target in standin.faults.seen]
    standin.faults.seen.clear()
    return sorted(int(b64decode(parse_qs(url.query)["proCode"][0])) for url in targets if url.path.endswith("/product"))


def products(crawled: Crawled) -> list[int]:
    return sorted(item["kok_product_id"] for item in crawled.items["products"])


def test_only_what_is_due_is_read_again(standin: Standin, tmp_path: Path) -> None:
    first = crawl_into(tmp_path, "kok", standin.settings)
    assert pages_requested(standin) == products(first) == list(NUMBERS)

    unchanged = crawl_into(tmp_path, "kok", standin.settings, now=NOON + HOUR)
    assert pages_requested(standin) == products(unchanged) == []
    assert len(unchanged.items["prices"]) == len(NUMBERS)
    assert unchanged.scope("products", products="due").items == 0

    standin.show(shop(p1000004={"list_price": 20_000}), NOON + 2 * HOUR)
    cheaper = crawl_into(tmp_path, "kok", standin.settings, now=NOON + 2 * HOUR)
    assert pages_requested(standin) == products(cheaper) == [1_000_004]

    later = crawl_into(tmp_path, "kok", standin.settings, now=NOON + WEEK)
    assert pages_requested(standin) == list(NUMBERS)
    assert products(later) == []
    assert later.reports["products"].traffic.by_status["304"] == len(NUMBERS)

    rested = crawl_into(tmp_path, "kok", standin.settings, now=NOON + WEEK + timedelta(days=10))
    assert pages_requested(standin) == products(rested) == []


def test_a_page_that_is_gone_is_a_fault_and_rarely_requested(standin: Standin, tmp_path: Path) -> None:
    page = "proCode=MTAwMDAwNA=="  # 1000004
    standin.faults.rules.append(Fault(page, status=410))
    gone = crawl_into(tmp_path, "kok", standin.settings)
    assert 1_000_004 not in products(gone)
    (fault,) = [fault for fault in gone.faults("products", "page") if page in fault.page]
    assert fault.reason == "HTTP 410, though the product is listed"
    assert fault.saved_page
    assert pages_requested(standin).count(1_000_004) == 1
    crawl_into(tmp_path, "kok", standin.settings, now=NOON + HOUR)
    assert pages_requested(standin) == []
    standin.faults.rules.clear()
    back = crawl_into(tmp_path, "kok", standin.settings, now=NOON + WEEK)
    assert products(back) == [1_000_004]


def test_pages_of_a_crawl_with_a_violation_are_read_again(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules.append(replaced("/m/product", "row-table", "table-of-rows"))
    broken = crawl_into(tmp_path, "kok", standin.settings)
    assert broken.check("products").violations
    assert pages_requested(standin) == list(NUMBERS)
    standin.faults.rules.clear()
    mended = crawl_into(tmp_path, "kok", standin.settings, now=NOON + HOUR)
    assert pages_requested(standin) == products(mended) == list(NUMBERS)
    assert all(item["seller"] for item in mended.items["products"])


def test_requests_beyond_the_budget_are_refused_and_made_later(standin: Standin, tmp_path: Path) -> None:
    frugal = standin.settings.model_copy(update={"crawl_daily_requests": 30})
    some = crawl_into(tmp_path, "kok", frugal)
    assert len(standin.faults.seen) == 30
    assert some.reports["products"].traffic.requests == 30
    scope = some.scope("products", products="due")
    assert not scope.complete
    refused = [fault.reason for fault in some.faults("products", "page")]
    assert any("the 30 requests that kok may get on 2025-08-06 are used up: go on tomorrow" in why for why in refused)
    read = pages_requested(standin)
    assert products(some) == read
    assert 0 < len(read) < len(NUMBERS)

    with pytest.raises(CrawlFailed, match="crawl of kok refused: the 30 requests that kok may get on 2025-08-06 are"):
        crawl("kok", DAY, 1, NOON + HOUR, open_store(str(tmp_path)), frugal)
    assert standin.faults.seen == []

    more = standin.settings.model_copy(update={"crawl_daily_requests": 32})
    crawl_into(tmp_path, "kok", more, now=NOON + HOUR)
    assert len(standin.faults.seen) == 2
    pages_requested(standin)

    tomorrow = DAY + timedelta(days=1)
    crawl("kok", tomorrow, 1, NOON + timedelta(days=1), open_store(str(tmp_path)), standin.settings)
    assert pages_requested(standin) == sorted(set(NUMBERS) - set(read))


def test_a_crash_of_the_spider_makes_its_scopes_incomplete(standin: Standin, tmp_path: Path) -> None:
    settings = standin.settings.model_copy(update={"spider_modules": ("tests.crawlers.crashing",)})
    crawled = crawl_into(tmp_path, "kok", settings)
    category = crawled.scope("prices", category="1613")
    assert not category.complete
    assert str(category.reason).startswith("the spider failed: KeyError: 'price' [http")
    assert crawled.scope("prices", category="1611").complete
    pages = crawled.scope("products", products="due")
    assert not pages.complete
    reasons = [fault.reason for fault in crawled.faults("products", "page")]
    assert "the spider failed: ZeroDivisionError: no address" in reasons
