"""The KOK spider against the stand-in: paging, ids of cards, product pages, and broken pages."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlers.standin.content import CatalogContent
from crawlers.standin.faults import Fault, replaced, reset, truncated, unavailable, without
from crawlers.standin.pages import Pages
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import NOON, Crawled, catalog, crawl_into, kok

SHORT = [kok(n) for n in range(1_000_001, 1_000_046)]  # its third and last page is not full
EXACT = [kok(n, category="1613") for n in range(2_000_001, 2_000_041)]  # its second and last page is full
SPECIAL = [
    kok(10_047_624, category="1614", list_price=38_000, discount_rate=32, price=25_840, review_score=4.8),
    kok(2_234_340_850, category="1614", list_price=None, discount_rate=0, price=9_900),
    kok(10_047_626, category="1614", store_name="콕콕", product_name="콕콕 간식  세트"),
    kok(10_047_625, category="1614", review_score=4.5, review_count=1_204, thumbnail_url="//img.example/a.jpg"),
]
REST = [kok(3_000_000 + number, category=f"16{number}") for number in range(15, 25)]
FULL = [kok(3_100_000 + n, category="1619") for n in range(19)]  # one full page, with the one of REST
ALL = [*SHORT, *EXACT, *SPECIAL, *REST, *FULL]


def list_page(category: str, page: int = 1) -> str:
    return f"code={category}&page={page}&"


def product_page(number: int) -> str:
    return f"proCode={base64.b64encode(str(number).encode()).decode()}"


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running_standin(catalog(kok=ALL)) as running:
        yield running


@pytest.fixture(scope="module")
def sound(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """A crawl of pages without a fault."""
    return crawl_into(tmp_path_factory.mktemp("sound"), "kok", standin.settings)


@pytest.fixture(scope="module")
def broken(sound: Crawled, standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """A crawl with a fault on a page of nearly every category, and on four product pages."""
    pages = Pages(CatalogContent(catalog(kok=ALL)), lambda: NOON)
    standin.faults.seen.clear()
    standin.faults.rules[:] = [
        without(list_page("1611", 2), "li, .recent"),
        truncated(list_page("1613", 2)),
        replaced(list_page("1614"), ' data-product-id="2234340850"', ""),
        replaced(list_page("1615"), "product-section-ul-li", "renamed"),
        unavailable(list_page("1616")),
        replaced(list_page("1617"), r'<span class="card-info_rate">\d+%', '<span class="card-info_rate">특가'),
        replaced(list_page("1618"), r"<strong>[\d,]+</strong>", "<strong>품절</strong>"),
        Fault(list_page("1619", 2), edit=lambda _: pages.kok_list("1619", 1).encode()),
        reset(list_page("1623"), times=1),
        unavailable(list_page("1624"), times=1, retry_after="1"),
        truncated(product_page(3_000_019)),
        without(product_page(3_000_020), "span.product__title"),
        reset(product_page(3_000_021)),
        Fault(product_page(3_000_022), status=404),
    ]
    settings = standin.settings.model_copy(update={"crawl_retries": 1})
    return crawl_into(tmp_path_factory.mktemp("broken"), "kok", settings)


def test_every_product_is_listed_once_with_the_price_of_its_own_card(sound: Crawled) -> None:
    found = {item["kok_product_id"]: item for item in sound.items["prices"]}
    assert len(sound.items["prices"]) == len(found) == len(ALL)
    for row in ALL:
        item = found[row.product_id]
        assert (item["category"], item["price"], item["discount_rate"], item["price_kind"]) == (
            row.category,
            row.price,
            row.discount_rate,
            "amount",
        )


def test_ids_come_from_the_card_from_inside_it_and_from_a_wrapper(sound: Crawled) -> None:
    places = {item["kok_product_id"] % 3 for item in sound.items["prices"]}
    assert places == {0, 1, 2}  # the stand-in puts the id in one of three places by this remainder


def test_product_pages_are_read_to_the_last_one(sound: Crawled) -> None:
    found = {item["kok_product_id"]: item for item in sound.items["products"]}
    assert len(sound.items["products"]) == len(found) == len(ALL)
    for row in ALL:
        item = found[row.product_id]
        assert item["store_name"] == row.store_name
        assert item["product_name"] == " ".join(row.product_name.split())
        assert item["list_price"] == row.list_price
        assert item["review_count"] == row.review_count
        assert item["review_score"] == (row.review_score if row.review_count else None)
        assert item["thumbnail_url"] == f"https:{row.thumbnail_url}"


def test_sound_scopes_are_complete(sound: Crawled) -> None:
    for category, count in (("1611", 45), ("1613", 40), ("1614", 4), ("1624", 1)):
        scope = sound.scope("prices", category=category)
        assert (scope.complete, scope.items, scope.reason) == (True, count, None)
    assert sound.scope("products", products="due").complete
    assert sound.reports["prices"].faults == sound.reports["products"].faults == []


def test_requests_are_counted_by_dataset(sound: Crawled) -> None:
    # 45 products are three pages; 40 are two and two empty ones, 20 are one and two; the others are one page each.
    # The first page of a list of several pages is read again at its end.
    assert sound.reports["prices"].requests == 3 + 4 + 3 + 10 + 3
    assert sound.reports["products"].requests == len(ALL)


def test_a_list_that_changes_while_it_is_read_is_noticed(sound: Crawled, standin: Standin, tmp_path: Path) -> None:
    first, *_ = (item["kok_product_id"] for item in sound.items["prices"] if item["category"] == "1611")
    standin.faults.rules[:] = [
        Fault(list_page("1611"), times=1, edit=lambda body: body),
        replaced(list_page("1611"), f'data-product-id="{first}"', 'data-product-id="7"'),
    ]
    shifted = crawl_into(tmp_path, "kok", standin.settings)
    standin.faults.rules.clear()
    scopes = shifted.reports["prices"].scopes
    assert [(scope.key["category"], scope.complete) for scope in scopes if scope.shifted] == [("1611", True)]
    assert not any(scope.shifted for scope in sound.reports["prices"].scopes)
    assert len(shifted.items["prices"]) == len(sound.items["prices"])


def test_an_empty_page_within_a_list_is_not_its_end(broken: Crawled) -> None:
    scope = broken.scope("prices", category="1611")
    assert (scope.complete, scope.items) == (False, 25)
    assert "was empty, though the list goes on" in str(scope.reason)


def test_a_truncated_list_page_makes_its_category_incomplete(broken: Crawled) -> None:
    scope = broken.scope("prices", category="1613")
    assert (scope.complete, scope.items) == (False, 20)
    assert "truncated HTML" in str(scope.reason)
    (fault,) = [fault for fault in broken.faults("prices", "page") if "code=1613" in fault.page]
    assert str(fault.saved_page).startswith(f"faults/kok/{broken.runs[0].run_id}/")
    body = gzip.decompress(broken.store.get(str(fault.saved_page))).decode()
    assert body.startswith("<!DOCTYPE html>")
    assert "</html>" not in body


def test_a_card_without_an_id_costs_itself_and_no_other_card(broken: Crawled) -> None:
    prices = {item["kok_product_id"]: item["price"] for item in broken.items["prices"] if item["category"] == "1614"}
    assert prices == {row.product_id: row.price for row in SPECIAL if row.product_id != 2_234_340_850}
    scope = broken.scope("prices", category="1614")
    assert not scope.complete
    assert "the card has no product id" in str(scope.reason)
    assert [fault.count for fault in broken.faults("prices", "kok_product_id")] == [1]


def test_renamed_cards_are_not_an_empty_list(broken: Crawled) -> None:
    scope = broken.scope("prices", category="1615")
    assert not scope.complete
    assert "no div.card.product-section-ul-li on the page, but 2 product ids" in str(scope.reason)


def test_an_unavailable_page_leaves_its_category_incomplete(broken: Crawled) -> None:
    assert str(broken.scope("prices", category="1616").reason).startswith("HTTP 503")


def test_a_list_that_repeats_itself_ends_as_incomplete(broken: Crawled) -> None:
    scope = broken.scope("prices", category="1619")
    assert (scope.complete, scope.items, scope.dropped) == (False, 20, {"listed twice": 20})
    assert "only repeats earlier products" in str(scope.reason)


@pytest.mark.parametrize(("category", "field"), [("1617", "discount_rate"), ("1618", "price")])
def test_an_unreadable_field_is_counted_and_the_item_filed(broken: Crawled, category: str, field: str) -> None:
    scope = broken.scope("prices", category=category)
    assert (scope.complete, scope.items) == (True, 1)
    first, *_ = faults = broken.faults("prices", field)
    assert [(fault.count, f"code={category}" in fault.page) for fault in faults] == [(1, True)] * len(faults)
    assert first.reason.startswith("'품절' is not a price" if field == "price" else "'특가' is not a discount rate")


def test_an_unreadable_price_is_unknown_and_never_zero(broken: Crawled) -> None:
    (item,) = [item for item in broken.items["prices"] if item["category"] == "1618"]
    assert (item["price"], item["price_kind"]) == (None, "unknown")
    assert item["unread"] == ["discount_rate", "price", "price_kind"]


def test_an_unreadable_part_of_a_card_is_unread_on_no_other(broken: Crawled) -> None:
    unread = {item["category"]: item["unread"] for item in broken.items["prices"] if item["unread"]}
    assert unread == {"1617": ["discount_rate"], "1618": ["discount_rate", "price", "price_kind"]}


def test_a_reset_connection_is_retried(broken: Crawled, standin: Standin) -> None:
    assert broken.scope("prices", category="1623").complete
    assert len(standin.faults.requests_for(list_page("1623"))) == 2


def test_retry_after_is_waited_out(broken: Crawled, standin: Standin) -> None:
    assert broken.scope("prices", category="1624").complete
    first, second = standin.faults.requests_for(list_page("1624"))
    assert second - first >= 1.0


def test_unreadable_product_pages_are_missing_and_reported(broken: Crawled) -> None:
    read = {item["kok_product_id"] for item in broken.items["products"]}
    assert read.isdisjoint({3_000_019, 3_000_020, 3_000_021, 3_000_022})
    assert 3_000_023 in read
    assert not broken.scope("products", products="due").complete
    reasons = {
        number: fault.reason
        for fault in broken.reports["products"].faults
        for number in (3_000_019, 3_000_020, 3_000_021, 3_000_022)
        if product_page(number) in fault.page
    }
    assert "truncated HTML" in reasons[3_000_019]
    assert reasons[3_000_020] == "no span.product__title"
    assert reasons[3_000_021].endswith("Connection to the other side was lost in a non-clean fashion.")
    assert reasons[3_000_022] == "HTTP 404, though the product is listed"
