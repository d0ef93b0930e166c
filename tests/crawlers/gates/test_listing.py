"""Gate of a category list, and of the fields of product pages."""

from pathlib import Path

import pytest

from artifacts.open import open_store
from artifacts.raw import ITEMS
from artifacts.store import Store
from crawlers.gates.holds import ACCEPTED
from crawlers.items import CATEGORIES
from crawlers.run_report import ContractCheck, GateResult
from tests.builders.raw_runs import Item, gate_of, kst, price, product, put, put_prices, scope


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def cards(category: str, count: int, first: int = 0) -> list[Item]:
    base = 1000 * CATEGORIES.index(category)
    return [price(base + number, category=category) for number in range(first + 1, first + count + 1)]


def crawl(store: Store, clock: str, items: list[Item]) -> dict[str, str]:
    """Write a crawl of all categories; return the first reason for each that is held back."""
    gate = gate_of(store, put_prices(store, kst(clock), items))
    return {str(scope.key["category"]): scope.reasons[0] for scope in gate.held}


OTHERS = [card for category in CATEGORIES[1:] for card in cards(category, 12)]


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        (60, 59, False),
        (60, 50, False),
        (60, 40, True),  # a third is gone, and a full page is the last
        (45, 40, True),  # the third page was lost
        (42, 40, False),  # two may be sold out
        (60, 0, True),
        (9, 6, True),
        (9, 7, False),
        (5, 2, True),
        (3, 0, True),
        (2, 0, False),
    ],
)
def test_a_category_is_compared_with_itself(store: Store, before: int, after: int, is_held: bool) -> None:
    """Small ones too, as far as a loss says anything."""
    crawl(store, "02:00", [*cards("1611", before), *OTHERS])
    found = crawl(store, "05:00", [*cards("1611", after), *OTHERS])
    assert list(found) == (["1611"] if is_held else [])


def test_a_category_of_other_products_of_the_same_number_is_held_back(store: Store) -> None:
    crawl(store, "02:00", [*cards("1611", 30), *OTHERS])
    found = crawl(store, "05:00", [*cards("1611", 30, first=20), *OTHERS])
    assert found == {"1611": "20 of the 30 products are no longer listed"}


@pytest.mark.parametrize(
    ("before", "gone", "new", "is_held"),
    [
        (21, 3, 2, False),
        (22, 3, 1, False),
        (63, 10, 7, False),
        (43, 6, 3, False),
        (43, 5, 2, True),  # the last page was lost, and two products were sold out meanwhile
        (64, 7, 3, True),
    ],
)
def test_sold_products_that_others_replace_are_no_lost_page(
    store: Store, before: int, gone: int, new: int, is_held: bool
) -> None:
    """A day between two crawls leaves a list at the end of a full page now and then."""
    crawl(store, "02:00", [*cards("1611", before), *OTHERS])
    found = crawl(store, "23:00", [*cards("1611", before - gone + new, first=gone), *OTHERS])
    assert list(found) == (["1611"] if is_held else [])


def test_a_list_that_is_as_long_as_before_may_have_changed_by_half(store: Store) -> None:
    crawl(store, "02:00", [*cards("1611", 10), *OTHERS])
    assert crawl(store, "05:00", [*cards("1611", 11, first=5), *OTHERS]) == {}


def test_products_that_change_their_category_are_not_missing(store: Store) -> None:
    crawl(store, "02:00", [*cards("1611", 30), *OTHERS])
    moved = [card | {"category": "1613"} for card in cards("1611", 15)]
    assert crawl(store, "05:00", [*cards("1611", 15, first=15), *moved, *OTHERS]) == {}


def test_products_that_come_and_go_hold_nothing_back(store: Store) -> None:
    """One in fifty goes and one comes in each of ten crawls."""
    for turn in range(10):
        listed = [card for category in CATEGORIES for card in cards(category, 50, first=turn)]
        assert crawl(store, f"{2 + 3 * turn:02}:00", listed) == {}


def test_prices_that_most_products_lose_hold_a_category_back(store: Store) -> None:
    crawl(store, "02:00", [*cards("1611", 30), *OTHERS])
    bare = [card | {"price": None, "price_kind": "unknown"} for card in cards("1611", 30)]
    assert crawl(store, "05:00", [*bare, *OTHERS]) == {"1611": "30 of 30 products that had a price have none"}


def test_a_category_whose_page_was_lost_is_incomplete(store: Store) -> None:
    put_prices(store, kst("02:00"), [*cards("1611", 30), *OTHERS])
    run = put_prices(store, kst("05:00"), OTHERS, missing=["1611"])
    assert gate_of(store, run) == GateResult()


def put_rated(store: Store, clock: str, ids: range, rated: int, unread: tuple[str, ...] = ()) -> GateResult:
    """Write product pages, of which some have a rating."""
    items = [product(n, review_score=4.5 if place < rated else None, unread=unread) for place, n in enumerate(ids)]
    check = ContractCheck(violations=[], fill={"review_score": rated / len(ids)}, items=len(ids))
    scopes = [scope(complete=True, items=len(ids), products="due")]
    run = put(store, "kok", "products", kst(clock), items, scopes, contract_check=check)
    return gate_of(store, run)


def test_a_field_filled_half_as_often_holds_pages_back(store: Store) -> None:
    put_prices(store, kst("02:00"), [price(number) for number in range(1, 51)])
    for clock in ("02:00", "05:00", "08:00"):
        put_rated(store, clock, range(1, 51), 30)
    assert put_rated(store, "11:00", range(1, 31), 7) == GateResult()  # too few: eighteen are expected
    (reason,) = put_rated(store, "14:00", range(1, 51), 14).reasons
    assert reason == "review_score is filled in 28.0% of 50 items, usually 60.0%, first on http://kok/product"
    assert put_rated(store, "17:00", range(1, 51), 0, unread=("review_score",)) == GateResult()


def test_new_products_without_reviews_hold_nothing_back(store: Store) -> None:
    put_prices(store, kst("02:00"), [price(number) for number in range(1, 51)])
    for clock in ("02:00", "05:00", "08:00"):
        put_rated(store, clock, range(1, 51), 30)
    assert put_rated(store, "11:00", range(101, 151), 0) == GateResult()


def test_a_crawl_is_not_lost_to_damaged_earlier_files(store: Store) -> None:
    listing = put_prices(store, kst("02:00"), [*cards("1611", 30), *OTHERS])
    pages = put_rated(store, "02:00", range(1, 51), 30)
    store.put(listing.stem + ITEMS, b"damaged")
    store.put(listing.stem + ACCEPTED, b"{}")
    assert crawl(store, "05:00", cards("1611", 3)) == {}
    store.delete(listing.stem + ITEMS)
    assert put_rated(store, "08:00", range(1, 51), 0) == pages
