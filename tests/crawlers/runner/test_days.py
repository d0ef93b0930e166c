"""Which days a crawl may read, and under which it files them."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from artifacts.open import open_store
from crawlers.runner.crawl import CrawlRefused, crawl
from crawlers.runner.days import COMING_DAYS, PAST_DAYS, why_not_served
from crawlers.settings import CrawlSettings
from crawlers.standin.server import running_standin
from tests.builders.small_crawl import DAY, NOON, catalog, crawl_into, day, kok, show

REAL = CrawlSettings(contact="someone@example.org")


@pytest.mark.parametrize("ahead", [-1, 1])
def test_the_mall_is_not_crawled_for_another_day(ahead: int, tmp_path: Path) -> None:
    with pytest.raises(CrawlRefused, match=f"prices of today .{DAY}. only, not those of {day(ahead)}: leave out"):
        crawl("kok", day(ahead), 1, NOON, open_store(str(tmp_path)), REAL)
    assert why_not_served("kok", DAY, 1, NOON, REAL) is None


@pytest.mark.parametrize("source", ["hnsmall", "hmall", "nsmall"])
@pytest.mark.parametrize(
    ("first", "days", "served"),
    [
        (day(0), COMING_DAYS + 1, True),
        (day(0), COMING_DAYS + 2, False),
        (day(COMING_DAYS), 1, True),
        (day(-PAST_DAYS), 1, True),
        (day(-PAST_DAYS - 1), 1, False),
    ],
)
def test_schedules_are_served_for_days_around_today(source: str, first: date, days: int, served: bool) -> None:
    reason = why_not_served(source, first, days, NOON, REAL)
    assert (reason is None) == served
    assert served or str(first + timedelta(days=days - 1)) in str(reason)


@pytest.mark.parametrize("source", ["kok", "hnsmall"])
@pytest.mark.parametrize("first", [date.min, date.max])
@pytest.mark.parametrize("settings", [REAL, CrawlSettings(kok_url="http://[::1]", hnsmall_url="http://[::1]")])
def test_days_at_the_ends_of_time_are_refused(source: str, first: date, settings: CrawlSettings) -> None:
    assert f"no source serves {first}: choose" in str(why_not_served(source, first, 3, NOON, settings))


@pytest.mark.parametrize(
    ("base", "standin"),
    [
        ("http://127.0.0.1:8000/kok", True),
        ("http://localhost", True),
        ("http://[::1]:80", True),
        ("https://kok.uplus.co.kr", False),
        ("http://10.0.0.1", False),
    ],
)
def test_a_standin_is_on_this_machine(base: str, standin: bool) -> None:
    assert CrawlSettings(kok_url=base).is_standin("kok") == standin


def test_a_past_day_is_filed_under_the_day_of_the_crawl(tmp_path: Path) -> None:
    """The prices on its page are no sign that a product page has changed."""
    now = NOON + timedelta(days=3)
    shows = [show(1, "14:00", "15:00", 10_000_001, price_text=price, on=on) for on, price in ((0, "100"), (3, "900"))]
    with running_standin(catalog(kok=[kok(1_000_001)], shows=shows), now) as standin:
        first = crawl_into(tmp_path, "hnsmall", standin.settings, days=4, now=now)
        assert len(first.items["products"]) == 1
        past = crawl_into(tmp_path, "hnsmall", standin.settings, now=now + timedelta(minutes=5))
    assert {run.day for run in past.runs} == {day(3)}
    assert {report.day for report in past.reports.values()} == {day(3)}
    assert all(run.run_id.startswith("20250809T0305") for run in past.runs)
    assert [item["observed_at"] for item in past.shows] == ["2025-08-09T03:05:00Z"]
    assert past.items["products"] == []
