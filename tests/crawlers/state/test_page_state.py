"""Page state: which product pages are due, how often unchanged ones, and what killed crawls left."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from crawlers.state.page_state import PageRow, PageState
from tests.builders.small_crawl import NOON

AGE = timedelta(days=7)
Opened = Callable[..., PageState]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Open a state ``days`` after NOON with the rows of an earlier one."""

    def open_state(rows: list[PageRow] | None = None, days: float = 0, version: int = 1) -> PageState:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite"
        state = PageState(path, NOON + timedelta(days=days), AGE, version)
        state.load(rows or [])
        return state

    return open_state


def due(state: PageState) -> list[int]:
    return sorted(page.product_id for page in state.claim_due(1_000))


def read_once(opened: Opened) -> list[PageRow]:
    state = opened()
    state.mark_listed(1, "9900")
    assert due(state) == [1]
    state.mark_read(1, "content", '"tag"', "Wed, 06 Aug 2025 03:00:00 GMT")
    return list(state.rows())


def test_a_new_page_is_due_and_claimed_once(opened: Opened) -> None:
    state = opened()
    for number in (3, 1, 2):
        state.mark_listed(number, "9900")
    assert state.count_unclaimed() == 3
    assert [page.product_id for page in state.claim_due(2)] == [1, 2]
    assert due(state) == [3]
    assert due(state) == []
    assert state.count_unclaimed() == 0


def test_a_page_that_is_not_listed_is_not_due(opened: Opened) -> None:
    assert due(opened(read_once(opened), days=100)) == []


@pytest.mark.parametrize(
    ("days", "listed", "version", "is_due"),
    [
        (0.1, "9900", 1, False),
        (0.1, "8900", 1, True),
        (0.1, "9900", 2, True),
        (6.9, "9900", 1, False),
        (7.0, "9900", 1, True),
    ],
)
def test_a_page_is_due_again_when_price_version_or_age_says_so(
    opened: Opened, days: float, listed: str, version: int, is_due: bool
) -> None:
    state = opened(read_once(opened), days, version)
    state.mark_listed(1, listed)
    assert due(state) == ([1] if is_due else [])


def test_a_page_is_requested_again_with_a_condition(opened: Opened) -> None:
    state = opened(read_once(opened), days=8)
    state.mark_listed(1, "9900")
    (page,) = state.claim_due(1)
    assert page.headers == {"If-None-Match": '"tag"', "If-Modified-Since": "Wed, 06 Aug 2025 03:00:00 GMT"}


def test_a_new_page_version_is_requested_without_condition(opened: Opened) -> None:
    state = opened(read_once(opened), version=2)
    state.mark_listed(1, "9900")
    (page,) = state.claim_due(1)
    assert page.headers == {}


@pytest.mark.parametrize("response", ["same content", "304", "404"])
def test_an_unchanged_page_is_due_up_to_four_times_less_often(opened: Opened, response: str) -> None:
    rows = read_once(opened)
    if response == "404":
        state = opened(rows)
        state.mark_gone(1)
        rows = [replace(state.mark_gone(1), unchanged_reads=0)]
    day, waits = 0.0, []
    for _ in range(5):
        wait = next(wait for wait in range(1, 100) if _is_due(opened, rows, day + wait))
        state = opened(rows, day := day + wait)
        state.mark_listed(1, "9900")
        if response == "304":
            state.mark_unchanged(1)
        elif response == "404":
            state.mark_gone(1)
        else:
            state.mark_read(1, "content", None, None)
        rows = list(state.rows())
        waits.append(wait)
    assert waits == [7, 14, 28, 28, 28]


def _is_due(opened: Opened, rows: list[PageRow], days: float) -> bool:
    state = opened(rows, days)
    state.mark_listed(1, "9900")
    return due(state) == [1]


def test_a_changed_page_is_due_as_often_as_a_new_one(opened: Opened) -> None:
    state = opened(read_once(opened), days=8)
    state.mark_listed(1, "9900")
    assert state.mark_read(1, "content", None, None).unchanged_reads == 1
    assert state.mark_read(1, "other content", None, None).unchanged_reads == 0


def test_the_order_of_listings_does_not_matter(opened: Opened) -> None:
    rows = []
    for order in (("8900", "9900"), ("9900", "8900")):
        state = opened()
        for listed in order:
            state.mark_listed(1, listed)
        state.mark_read(1, "content", None, None)
        rows.append(list(state.rows()))
    assert rows[0] == rows[1]


def test_a_product_is_dropped_90_days_after_its_last_listing(opened: Opened) -> None:
    rows = read_once(opened)
    assert list(opened(rows, days=90).rows()) == rows
    assert list(opened(rows, days=91).rows()) == []


def test_the_time_zone_of_the_caller_does_not_matter(opened: Opened, tmp_path: Path) -> None:
    here = NOON.astimezone(timezone(timedelta(hours=9)))
    for name, now in (("utc", NOON), ("kst", here)):
        state = PageState(tmp_path / name, now, AGE, 1)
        state.mark_listed(1, "9900")
        row = state.mark_read(1, "content", None, None)
        assert datetime.fromisoformat(str(row.read_at)) == NOON
        assert str(row.read_at).endswith("+00:00")


def test_a_listing_of_a_product_is_added_once(opened: Opened) -> None:
    state = opened()
    assert [state.add_listing(*card, "9,900 won") for card in (("1611", 1), ("1611", 1), ("1613", 1))] == [
        True,
        False,
        True,
    ]


def test_the_newest_taken_over_page_counts_and_is_filed_once(opened: Opened) -> None:
    first = read_once(opened)[0]
    second = replace(first, read_at=(NOON + timedelta(hours=1)).isoformat(), read_listed="8900")
    state = opened(days=0.5)
    state.take_over(second, with_item=False)  # 304 in the second crawl that was killed
    state.take_over(first, with_item=True)
    state.mark_listed(1, "8900")
    assert due(state) == []
    assert [state.claim_taken_over_item(1), state.claim_taken_over_item(1)] == [True, False]


def test_a_taken_over_page_yields_to_a_page_that_is_read_now(opened: Opened) -> None:
    state = opened(days=0.5)
    state.take_over(read_once(opened)[0], with_item=True)
    state.mark_listed(1, "8900")
    assert due(state) == [1]
    state.mark_read(1, "new content", None, None)
    assert not state.claim_taken_over_item(1)


def test_a_taken_over_page_yields_to_a_page_that_was_read_since(opened: Opened) -> None:
    old = read_once(opened)[0]
    state = opened([replace(old, read_at=(NOON + timedelta(hours=1)).isoformat())], days=0.5)
    state.take_over(old, with_item=True)
    assert not state.claim_taken_over_item(1)
