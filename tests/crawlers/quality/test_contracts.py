"""Data contracts: the rules of each source, their violations with the first page, and the saved page."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import HtmlResponse

from crawlers.items import CATEGORIES, Item, KokPrice, KokProduct, Show
from crawlers.quality.contracts import BadRow, BrokenPage, Contract, FieldRule
from crawlers.quality.coverage import MAX_FAULT_LINES, MAX_SAVED_PAGES_PER_FIELD, Coverage
from crawlers.run_report import ContractViolation, DatasetSummary
from crawlers.spiders.hmall import HmallSpider
from crawlers.spiders.hnsmall import HnsmallSpider
from crawlers.spiders.kok import KokSpider
from crawlers.spiders.nsmall import NsmallSpider
from crawlers.standin.faults import renamed, replaced, sometimes, without
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, Crawled, catalog, crawl_into, kok, show

PAGE = "http://source/page"
SPIDERS = (KokSpider, HnsmallSpider, HmallSpider, NsmallSpider)
CLAMPED = 2**31 - 1

# --- Declarations


@pytest.mark.parametrize("spider", SPIDERS)
def test_every_source_declares_a_contract_for_each_dataset(spider: type[KokSpider]) -> None:
    listing, products = spider.contracts
    assert (listing, products) == ("prices" if spider is KokSpider else "schedule", "products")
    for contract in spider.contracts.values():
        assert contract.fields[contract.product_id] == FieldRule(fill=1, minimum=1, maximum=2**63 - 1)
    assert spider.contracts[listing].min_items == 1


def test_the_sets_of_ids_are_the_sources_own() -> None:
    channels = {spider: spider.contracts["schedule"].fields["channel_id"].one_of for spider in SPIDERS[1:]}
    assert channels == {HnsmallSpider: {1}, HmallSpider: {2, 3}, NsmallSpider: {4, 5}}
    categories = KokSpider.contracts["prices"].fields["category"].one_of
    assert categories == {"1611", *(f"16{number}" for number in range(13, 25))}


# --- Each rule, on items like those of the spiders


def price(number: int, **values: object) -> KokPrice:
    return KokPrice.model_validate(
        {
            "kok_product_id": number,
            "category": CATEGORIES[number % len(CATEGORIES)],
            "price": 9_900,
            "price_kind": "amount",
            "discount_rate": 10,
            "observed_at": NOON,
            "page_url": f"{PAGE}{number}",
        }
        | values
    )


def product(number: int, **values: object) -> KokProduct:
    return KokProduct.model_validate(
        {
            "kok_product_id": number,
            "store_name": "초록상회",
            "product_name": "햇감자",
            "list_price": None,
            "thumbnail_url": "https://image/1.jpg",
            "review_score": None,
            "review_count": None,
            "seller": dict.fromkeys(
                (
                    "ceo_name",
                    "registration_number",
                    "ecommerce_registration",
                    "phone",
                    "verified_item",
                    "verified_on",
                    "address",
                    "return_address",
                    "exchange_address",
                )
            )
            | {"seller_name": "초록상회"},
            "details": [{"name": "원산지", "value": "국산"}],
            "images": ["https://image/2.jpg"],
            "observed_at": NOON,
            "page_url": f"{PAGE}{number}",
        }
        | values
    )


def aired(number: int, **values: object) -> Show:
    return Show.model_validate(
        {
            "channel_id": 1,
            "requested_day": DAY,
            "slot": "main",
            "on_air": False,
            "starts_at": NOON,
            "ends_at": NOON + timedelta(hours=1),
            "title": "김치 특집",
            "source_product_id": number,
            "product_name": "포기김치",
            "price": 39_900,
            "price_kind": "amount",
            "list_price": None,
            "thumbnail_url": "https://image/1.jpg",
            "observed_at": NOON,
            "page_url": f"{PAGE}{number}",
        }
        | values
    )


def covered(folder: Path, contract: Contract, items: list[Item], **scopes: object) -> DatasetSummary:
    """The summary of a dataset with these items in one complete scope."""
    coverage = Coverage(folder, contract, NOON)
    scope = coverage.scope(may_be_empty=True, name="all")
    for item in items:
        coverage.count_item(item, scope, HtmlResponse(item.page_url, body=b"<html>evidence</html>"))
    return coverage.summary(0)


def only_violation(summary: DatasetSummary) -> ContractViolation:
    (violation,) = summary.contract_check.violations
    return violation


def test_a_sound_dataset_has_no_violation_and_its_fill(tmp_path: Path) -> None:
    items: list[Item] = [price(number) for number in range(1, 40)]
    items.append(price(40, price=None, price_kind="consult"))  # a price on request is a price
    report = covered(tmp_path, KokSpider.contracts["prices"], items)
    assert report.contract_check.violations == []
    assert report.faults == []
    assert (report.contract_check.items, report.contract_check.fill["price"]) == (40, 1.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("own_page", "found"), [(False, ["0.0% of 40 items"]), (True, [])])
def test_an_unread_value_is_missing_unless_it_has_its_own_page(
    own_page: bool, found: list[str], tmp_path: Path
) -> None:
    rule = FieldRule(fill=0.9, own_page=own_page)
    unread = {"price": None, "price_kind": "unknown", "unread": ("price", "price_kind")}
    items: list[Item] = [price(number, **unread) for number in range(1, 41)]
    summary = covered(tmp_path, Contract("kok_product_id", {"price": rule}), items)
    assert [violation.found for violation in summary.contract_check.violations] == found


def test_a_seldom_filled_field_is_a_violation_with_its_first_page(tmp_path: Path) -> None:
    """Half of the products have lost their seller."""
    items: list[Item] = [product(number, **({"seller": None} if number % 2 else {})) for number in range(1, 41)]
    report = covered(tmp_path, KokSpider.contracts["products"], items)
    assert only_violation(report) == ContractViolation(
        rule="fill",
        field="seller.seller_name",
        expected="at least 90%",
        found="50.0% of 40 items",
        page=f"{PAGE}1",
        saved_page="0001.gz",
    )
    assert gzip.decompress((tmp_path / "0001.gz").read_bytes()) == b"<html>evidence</html>"
    assert report.contract_check.fill["seller"] == 0.5
    faults = [fault for fault in report.faults if fault.field == "seller.seller_name"]
    assert [fault.count for fault in faults] == [1] * 20


def test_a_seller_without_any_text_is_not_filled(tmp_path: Path) -> None:
    filled = product(1).seller
    assert filled is not None
    items: list[Item] = [product(number, seller=filled.model_copy(update={"seller_name": None})) for number in (1, 2)]
    assert covered(tmp_path, KokSpider.contracts["products"], items).contract_check.fill["seller"] == 0


def test_shares_of_few_items_are_not_judged_but_faults_are_counted(tmp_path: Path) -> None:
    items: list[Item] = [product(number, details=[]) for number in range(1, 20)]
    report = covered(tmp_path, KokSpider.contracts["products"], items)
    assert report.contract_check.violations == []
    assert {fault.field for fault in report.faults} == {"details"}
    assert len(report.faults) == 19


@pytest.mark.parametrize(
    ("field", "item"),
    [
        ("price", price(2, price=9)),
        ("price", price(2, price=100_000_001)),
        ("category", price(2, category="1612")),
        ("list_price", product(2, list_price=1)),
        ("rating_shares", product(2, rating_shares=(101, 0, 0, 0, 0))),
        (
            "reviews.written_on",
            product(
                2,
                reviews=[
                    {"written_on": date(2025, 8, day), "score": 5, "nickname": "김**", "text": "맛있어요"}
                    | dict.fromkeys(("price_opinion", "delivery_opinion", "taste_opinion"))
                    for day in (6, 7)
                ],
            ),
        ),
        ("length", aired(2, ends_at=NOON + timedelta(seconds=59))),
        ("length", aired(2, ends_at=NOON + timedelta(hours=12, seconds=1))),
        ("channel_id", aired(2, channel_id=2)),
    ],
)
def test_a_value_outside_its_range_is_a_violation(tmp_path: Path, field: str, item: Item) -> None:
    contract = (HnsmallSpider if isinstance(item, Show) else KokSpider).contracts[item.dataset]
    inside = {KokPrice: price(1), KokProduct: product(1), Show: aired(1)}[type(item)]
    report = covered(tmp_path, contract, [inside, item])
    (broken,) = [each for each in report.contract_check.violations if each.rule == "range"]
    assert (broken.field, broken.page, broken.saved_page) == (field, item.page_url, "0001.gz")
    assert [fault.field for fault in report.faults] == [field]


def test_one_value_outside_its_range_among_hundreds_is_a_fault_only(tmp_path: Path) -> None:
    items: list[Item] = [price(number) for number in range(1, 200)]
    report = covered(tmp_path, KokSpider.contracts["prices"], [*items, price(200, price=1)])
    assert report.contract_check.violations == []
    (fault,) = report.faults
    assert (fault.field, fault.reason, fault.saved_page) == ("price", "1 is not 10 … 100,000,000", "0001.gz")


def test_clamped_ids_are_a_violation(tmp_path: Path) -> None:
    """Ids too large for 32 bits, clamped to the largest of these, turn many products into one."""
    items: list[Item] = [aired(number, starts_at=NOON + timedelta(minutes=number)) for number in range(1, 4)]
    lone = covered(tmp_path / "lone", HnsmallSpider.contracts["schedule"], [*items, aired(CLAMPED)])
    assert lone.contract_check.violations == []
    report = covered(tmp_path, HnsmallSpider.contracts["schedule"], [*items, aired(CLAMPED), aired(CLAMPED)])
    broken = only_violation(report)
    assert (broken.rule, broken.field) == ("ids", "source_product_id")
    assert broken.found == "2147483647 in 2 rows"
    assert broken.page == f"{PAGE}{CLAMPED}"


def test_one_id_for_all_rows_is_a_violation(tmp_path: Path) -> None:
    repeats: list[Item] = [aired(7)] * 9
    assert covered(tmp_path, HnsmallSpider.contracts["schedule"], repeats).contract_check.violations == []
    broken = only_violation(covered(tmp_path, HnsmallSpider.contracts["schedule"], [*repeats, aired(7)]))
    assert (broken.rule, broken.found) == ("ids", "7 in all 10 rows")


def test_an_empty_category_is_a_violation_unless_it_was_not_read(tmp_path: Path) -> None:
    items = [price(number) for number in range(1, 40)]
    coverage = Coverage(tmp_path, KokSpider.contracts["prices"], NOON)
    scopes = {category: coverage.scope(category=category) for category in CATEGORIES if category != "1624"}
    for scope in scopes.values():
        scope.requested = scope.read = 1
    unread = coverage.scope(category="1613") if "1613" not in scopes else scopes["1613"]
    unread.read = 0
    for item in items:
        if item.category not in ("1624", "1613"):
            coverage.count_item(item, scopes[item.category], HtmlResponse(item.page_url))
    broken = only_violation(coverage.summary(0))
    assert (broken.rule, broken.field, broken.found) == ("set", "category", "nothing of 1624")


def test_too_few_items_are_a_violation(tmp_path: Path) -> None:
    contract = replace(HnsmallSpider.contracts["schedule"], min_items=3)
    broken = only_violation(covered(tmp_path, contract, [aired(1), aired(2)]))
    assert (broken.rule, broken.expected, broken.found) == ("items", "at least 3", "2")


def test_unreadable_rows_are_a_violation_that_names_the_field(tmp_path: Path) -> None:
    coverage = Coverage(tmp_path, HnsmallSpider.contracts["schedule"], NOON)
    scope = coverage.scope(channel_id=1)
    for number in range(1, 20):
        coverage.count_item(aired(number), scope, HtmlResponse(PAGE))
    coverage.bad_row(BadRow("starts_at", "'??' is no time"), HtmlResponse(PAGE, body=b"<html>"), [scope])
    assert coverage.summary(0).contract_check.violations == []
    coverage.bad_row(BadRow("starts_at", "'??' is no time"), HtmlResponse(PAGE, body=b"<html>"), [scope])
    broken = only_violation(coverage.summary(0))
    assert (broken.rule, broken.field, broken.page, broken.saved_page) == ("rows", "starts_at", PAGE, "0001.gz")
    assert broken.found == "2 of 21 rows unreadable, 2 for this field: '??' is no time"


def test_unreadable_pages_are_a_violation(tmp_path: Path) -> None:
    coverage = Coverage(tmp_path, KokSpider.contracts["products"], NOON)
    scope = coverage.scope(may_be_empty=True, products="due")
    for number in range(3):
        with coverage.reading(HtmlResponse(f"{PAGE}{number}", body=b"<html>"), [scope]):
            if number:
                raise BrokenPage("product_name", "no span.product__title")
    broken = only_violation(coverage.summary(0))
    assert (broken.rule, broken.page, broken.saved_page) == ("pages", f"{PAGE}1", "0001.gz")
    assert broken.found == "2 of 3 pages unreadable, the first: product_name: no span.product__title"


def test_any_number_of_faults_is_counted_in_bounded_memory(tmp_path: Path) -> None:
    items: list[Item] = [product(number, thumbnail_url=None) for number in range(1, MAX_FAULT_LINES + 100)]
    report = covered(tmp_path, KokSpider.contracts["products"], items)
    assert sum(fault.count for fault in report.faults) == MAX_FAULT_LINES + 99
    assert len(report.faults) == MAX_FAULT_LINES + 1
    assert len(list(tmp_path.iterdir())) == MAX_SAVED_PAGES_PER_FIELD


# --- Whole crawls


KOK = [kok(1_000_000 + n, category=CATEGORIES[n % 13], discount_rate=n % 3 and 20) for n in range(39)]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    shows = [
        show(channel, f"{hour:02}:00", f"{hour:02}:50", 2_200_000_000 + 100 * channel + hour)
        for channel in (1, 2, 3, 4, 5)
        for hour in range(24)
    ]
    with running_standin(catalog(kok=KOK, shows=shows), NOON) as running:
        yield running


@pytest.fixture
def faults(standin: Standin) -> Iterator[list[Any]]:
    yield standin.faults.rules
    standin.faults.rules.clear()


def violation_and_page(crawled: Crawled, dataset: str) -> tuple[ContractViolation, str]:
    """The only violation of a crawl, and the text of its saved page."""
    (violation,) = crawled.check(dataset).violations
    assert violation.saved_page is not None
    return violation, gzip.decompress(crawled.store.get(violation.saved_page)).decode()


@pytest.mark.parametrize("source", ["kok", "hnsmall", "hmall", "nsmall"])
def test_sound_sources_violate_no_contract(standin: Standin, tmp_path: Path, source: str) -> None:
    crawled = crawl_into(tmp_path, source, standin.settings)
    for dataset, report in crawled.reports.items():
        assert crawled.check(dataset).violations == []
        assert crawled.check(dataset).items == report.items > 0


def test_a_renamed_class_empties_a_field(standin: Standin, faults: list[Any], tmp_path: Path) -> None:
    """Unknown prices stay unknown, never 0, and are counted."""
    faults.append(renamed("category/uplus/page", "card-info_price"))
    crawled = crawl_into(tmp_path, "kok", standin.settings)
    broken, saved = violation_and_page(crawled, "prices")
    assert (broken.rule, broken.field, broken.found) == ("fill", "price", "0.0% of 39 items")
    assert broken.page in {item["page_url"] for item in crawled.items["prices"]}
    assert "card-info_price_v2" in saved
    assert {(item["price"], item["price_kind"]) for item in crawled.items["prices"]} == {(None, "unknown")}
    assert sum(fault.count for fault in crawled.faults("prices", "price")) == 39


def test_half_of_the_product_pages_lose_their_seller(standin: Standin, faults: list[Any], tmp_path: Path) -> None:
    faults.append(sometimes(without("m/product?", "table.row-table:first-of-type"), 0.5))
    crawled = crawl_into(tmp_path, "kok", standin.settings)
    rules = {(each.rule, each.field) for each in crawled.check("products").violations}
    assert ("fill", "seller.seller_name") in rules
    assert crawled.check("prices").violations == []


def test_product_pages_without_a_product_are_a_violation(standin: Standin, faults: list[Any], tmp_path: Path) -> None:
    faults.append(renamed("m/product?", "product__title"))
    crawled = crawl_into(tmp_path, "kok", standin.settings)
    broken, saved = violation_and_page(crawled, "products")
    assert (broken.rule, broken.field) == ("pages", "")
    assert "product__title_v2" in saved


def test_ids_clamped_at_the_largest_32_bit_number(standin: Standin, faults: list[Any], tmp_path: Path) -> None:
    """Ids of hmall exceed 32 bits: cut off there, its rows lose their identity."""
    faults.append(replaced("tv-list", r'("slitmCd": *)"?22\d{8}"?', rf'\1"{CLAMPED}"'))
    crawled = crawl_into(tmp_path, "hmall", standin.settings)
    broken = crawled.check("schedule").violations
    found = [(each.rule, each.field, each.found) for each in broken]
    # 18 shows on each of two channels: those before 05:20 are the next day's.
    assert ("ids", "source_product_id", f"{CLAMPED} in 36 rows") in found
    assert all("brodType" in str(each.page) and each.saved_page for each in broken)
