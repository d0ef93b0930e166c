"""What is remembered of product pages: which are due, how rarely those that rest, and what killed crawls left."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from crawlers.state.page_state import PageMemory
from tests.builders.small_crawl import NOON

AGE = timedelta(days=7)
Opened = Callable[..., PageMemory]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """A memory ``days`` after NOON that recalls the lines of an earlier one."""

    def open_memory(lines: list[dict[str, Any]] | None = None, days: float = 0, version: int = 1) -> PageMemory:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite"
        memory = PageMemory(path, NOON + timedelta(days=days), AGE, version)
        memory.recall(lines or [])
        return memory

    return open_memory


def due(memory: PageMemory) -> list[int]:
    return sorted(page.product_id for page in memory.due(1_000))


def read_once(opened: Opened) -> list[dict[str, Any]]:
    memory = opened()
    memory.see(1, "9900")
    assert due(memory) == [1]
    memory.read(1, "content", '"tag"', "Wed, 06 Aug 2025 03:00:00 GMT")
    return list(memory.lines())


def test_a_page_is_due_when_it_is_new_and_given_out_once(opened: Opened) -> None:
    memory = opened()
    for number in (3, 1, 2):
        memory.see(number, "9900")
    assert memory.waiting() == 3
    assert [page.product_id for page in memory.due(2)] == [1, 2]
    assert due(memory) == [3]
    assert due(memory) == []
    assert memory.waiting() == 0


def test_a_page_that_no_list_leads_to_is_not_asked_for(opened: Opened) -> None:
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
def test_a_page_is_due_again_when_something_says_so(
    opened: Opened, days: float, listed: str, version: int, is_due: bool
) -> None:
    memory = opened(read_once(opened), days, version)
    memory.see(1, listed)
    assert due(memory) == ([1] if is_due else [])


def test_a_page_that_is_asked_for_again_is_asked_for_on_condition(opened: Opened) -> None:
    memory = opened(read_once(opened), days=8)
    memory.see(1, "9900")
    (page,) = memory.due(1)
    assert page.headers == {"If-None-Match": '"tag"', "If-Modified-Since": "Wed, 06 Aug 2025 03:00:00 GMT"}


def test_a_page_of_which_more_is_read_now_is_asked_for_without_condition(opened: Opened) -> None:
    memory = opened(read_once(opened), version=2)
    memory.see(1, "9900")
    (page,) = memory.due(1)
    assert page.headers == {}


@pytest.mark.parametrize("answer", ["same content", "304", "404"])
def test_a_page_that_rests_is_asked_for_less_and_less_up_to_a_quarter_as_often(opened: Opened, answer: str) -> None:
    lines = read_once(opened)
    if answer == "404":
        memory = opened(lines)
        memory.gone(1)
        lines = [memory.gone(1) | {"rested": 0}]
    day, waits = 0.0, []
    for _ in range(5):
        wait = next(wait for wait in range(1, 100) if _is_due(opened, lines, day + wait))
        memory = opened(lines, day := day + wait)
        memory.see(1, "9900")
        if answer == "304":
            memory.rests(1)
        elif answer == "404":
            memory.gone(1)
        else:
            memory.read(1, "content", None, None)
        lines = list(memory.lines())
        waits.append(wait)
    assert waits == [7, 14, 28, 28, 28]


def _is_due(opened: Opened, lines: list[dict[str, Any]], days: float) -> bool:
    memory = opened(lines, days)
    memory.see(1, "9900")
    return due(memory) == [1]


def test_a_page_that_has_changed_is_read_as_often_as_a_new_one(opened: Opened) -> None:
    memory = opened(read_once(opened), days=8)
    memory.see(1, "9900")
    assert memory.read(1, "content", None, None)["rested"] == 1
    assert memory.read(1, "other content", None, None)["rested"] == 0


def test_the_order_in_which_lists_show_a_product_does_not_matter(opened: Opened) -> None:
    lines = []
    for order in (("8900", "9900"), ("9900", "8900")):
        memory = opened()
        for listed in order:
            memory.see(1, listed)
        memory.read(1, "content", None, None)
        lines.append(list(memory.lines()))
    assert lines[0] == lines[1]


def test_a_product_is_forgotten_a_quarter_of_a_year_after_it_was_listed_last(opened: Opened) -> None:
    lines = read_once(opened)
    assert list(opened(lines, days=90).lines()) == lines
    assert list(opened(lines, days=91).lines()) == []


def test_the_hour_of_the_caller_does_not_matter(opened: Opened, tmp_path: Path) -> None:
    here = NOON.astimezone(timezone(timedelta(hours=9)))
    for name, now in (("utc", NOON), ("kst", here)):
        memory = PageMemory(tmp_path / name, now, AGE, 1)
        memory.see(1, "9900")
        line = memory.read(1, "content", None, None)
        assert datetime.fromisoformat(line["read_at"]) == NOON
        assert line["read_at"].endswith("+00:00")


def test_a_list_shows_a_product_newly_once(opened: Opened) -> None:
    memory = opened()
    assert [memory.newly_listed("1611", 1), memory.newly_listed("1611", 1), memory.newly_listed("1613", 1)] == [
        True,
        False,
        True,
    ]


def test_the_newest_reading_of_killed_crawls_counts_and_its_item_is_filed_once(opened: Opened) -> None:
    first = read_once(opened)[0]
    second = first | {"read_at": (NOON + timedelta(hours=1)).isoformat(), "read_listed": "8900"}
    memory = opened(days=0.5)
    memory.take_over(second, with_item=False)  # 304 in the second crawl that was killed
    memory.take_over(first, with_item=True)
    memory.see(1, "8900")
    assert due(memory) == []
    assert [memory.file_taken_over(1), memory.file_taken_over(1)] == [True, False]


def test_what_a_killed_crawl_left_gives_way_to_what_is_read_now(opened: Opened) -> None:
    memory = opened(days=0.5)
    memory.take_over(read_once(opened)[0], with_item=True)
    memory.see(1, "8900")
    assert due(memory) == [1]
    memory.read(1, "new content", None, None)
    assert not memory.file_taken_over(1)


def test_what_a_killed_crawl_left_gives_way_to_what_was_read_since(opened: Opened) -> None:
    old = read_once(opened)[0]
    memory = opened([old | {"read_at": (NOON + timedelta(hours=1)).isoformat()}], days=0.5)
    memory.take_over(old, with_item=True)
    assert not memory.file_taken_over(1)
