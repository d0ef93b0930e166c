"""Broken schedule pages: readable rows are filed, faults are reported, and a day read in part is incomplete."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifacts.open import open_store
from artifacts.raw import list_runs
from crawlers.runner.crawl import CrawlFailed
from crawlers.standin.faults import Fault, replaced, reset, truncated, unavailable, without
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import NOON, Crawled, catalog, crawl_into, day, show

DAYS = 9
SHOWS = [
    show(channel, hour, end, number, slot, on=ahead)
    for ahead in range(DAYS)
    for channel, base in ((1, 10_000_000), (2, 2_200_000_000), (3, 2_300_000_000), (4, 40_000_000), (5, 50_000_000))
    for hour, end, slot, number in (
        ("14:00", "15:00", "main", base + 10 * ahead + 1),
        ("14:00", "15:00", "sub", base + 10 * ahead + 2),
        ("16:00", "17:00", "main", base + 10 * ahead + 3),
    )
]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running_standin(catalog(shows=SHOWS), NOON) as running:
        yield running


def faulty(standin: Standin, folder: Path, source: str, *rules: Fault) -> Crawled:
    standin.faults.rules[:] = rules
    settings = standin.settings.model_copy(update={"crawl_retries": 1})
    try:
        return crawl_into(folder, source, settings, days=DAYS)
    finally:
        standin.faults.rules.clear()


def hns_page(ahead: int) -> str:
    return f"broadDay={day(ahead):%Y%m%d}"


def hmall_page(ahead: int, channel: str = "etv") -> str:
    return f"brodDt={day(ahead):%Y%m%d}&brodPrrgPage=200&brodType={channel}"


def ns_page(ahead: int, channel: str = "tv") -> str:
    return f"/{channel}/{day(ahead):%Y%m%d}?"


def ns_prices(ahead: int, channel: str = "tv") -> str:
    return f"brdctPriceInfo?formDate={day(ahead):%Y%m%d}&CnnlCd={channel}"


@pytest.fixture(scope="module")
def hns(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return faulty(
        standin,
        tmp_path_factory.mktemp("hns"),
        "hnsmall",
        without(hns_page(1), "li.item"),
        truncated(hns_page(2)),
        replaced(hns_page(3), "scheduleWrap", "renamed"),
        replaced(hns_page(4), r'date="\d+"', 'date="20250101"'),
        replaced(hns_page(5), "14:00 ~ 15:00", "14:00 ~ 99:00"),
        replaced(hns_page(6), r"goGoodsDetail\('10000063'", "goGoodsDetail(''"),
        replaced(hns_page(7), "16:00 ~ 17:00", "지금방송중"),
        reset(hns_page(8)),
    )


@pytest.mark.parametrize(
    ("ahead", "items", "reason"),
    [
        (1, 0, "the page lists no shows of 2025-08-07"),
        (2, 0, "truncated HTML"),
        (3, 0, "no div#scheduleWrap"),
        (4, 0, "the page is of 20250101, asked for 20250810"),
        (5, 1, "row unreadable, starts_at: '99:00' is not a time of a broadcast day"),
        (6, 2, "row unreadable, source_product_id: '' is not a product id"),
        (7, 2, "row unreadable, ends_at: the show is on air, but the page has no #onAirTime"),
        (8, 0, "Connection to the other side was lost"),
    ],
)
def test_hns_faults_make_their_day_incomplete_with_the_reason(
    hns: Crawled, ahead: int, items: int, reason: str
) -> None:
    scope = hns.day(1, ahead)
    assert (scope.complete, scope.items) == (False, items)
    assert reason in str(scope.reason) or any(reason in f.reason for f in hns.reports["schedule"].faults)
    assert any(reason in f.reason and hns_page(ahead) in f.page for f in hns.reports["schedule"].faults)


def test_hns_day_without_a_fault_stays_complete(hns: Crawled) -> None:
    assert (hns.day(1, 0).complete, hns.day(1, 0).items) == (True, 3)


@pytest.mark.parametrize("ahead", [1, 2, 3, 4, 5, 6, 7])
def test_hns_pages_with_faults_are_saved(hns: Crawled, ahead: int) -> None:
    saved = {fault.saved_page for fault in hns.reports["schedule"].faults if hns_page(ahead) in fault.page}
    (key,) = saved
    assert key is not None
    assert b"<html lang=" in gzip.decompress(hns.store.get(key))


@pytest.fixture(scope="module")
def hmall(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return faulty(
        standin,
        tmp_path_factory.mktemp("hmall"),
        "hmall",
        truncated(hmall_page(0)),
        replaced(hmall_page(2), "broadItemList", "renamed"),
        replaced(hmall_page(4), '"slitmCd": "2200000041", ', ""),
        replaced(hmall_page(6), r'"withItemList": \[\{.*?\}\]', '"withItemList": [null]'),
        unavailable(hmall_page(8)),
        replaced(hmall_page(1, "dtv"), r"(?s)^.*$", "<html><body>점검 중</body></html>", count=1),
        unavailable(hmall_page(3, "dtv"), times=1, retry_after="1"),
        replaced(hmall_page(7, "dtv"), "20250813", "20250806"),
        truncated(hmall_page(-1, "dtv")),
    )


@pytest.mark.parametrize(
    ("ahead", "items", "reason"),
    [
        (0, 0, "truncated or no JSON"),
        (2, 0, "the JSON lacks respData.broadItemList"),
        (4, 2, "row unreadable, slitmCd: Field required"),
        (6, 2, "row unreadable, row: Input should be a valid dictionary"),
        (8, 0, "HTTP 503"),
    ],
)
def test_hmall_faults_make_their_day_incomplete_with_the_reason(
    hmall: Crawled, ahead: int, items: int, reason: str
) -> None:
    scope = hmall.day(2, ahead)
    assert (scope.complete, scope.items) == (False, items)
    assert reason in str(scope.reason)


def test_hmall_other_channel_and_retried_pages_are_not_affected(hmall: Crawled, standin: Standin) -> None:
    assert [ahead for ahead in range(DAYS) if not hmall.day(3, ahead).complete] == [0, 1, 2, 7]
    assert "truncated or no JSON" in str(hmall.day(3, 1).reason)
    first, second = standin.faults.requests_for(hmall_page(3, "dtv"))
    assert second - first >= 1.0


def test_a_page_with_shows_of_another_day_only_is_not_an_empty_day(hmall: Crawled) -> None:
    assert "the page lists no shows of 2025-08-13" in str(hmall.day(3, 7).reason)
    assert hmall.day(3, 0).items == 6


def test_an_unread_page_makes_the_next_day_incomplete_too(hmall: Crawled) -> None:
    assert "brodDt=20250805" in str(hmall.day(3, 0).reason)
    assert "brodDt=20250807" in str(hmall.day(3, 2).reason)
    assert hmall.day(3, 2).items == 3


@pytest.fixture(scope="module")
def ns(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return faulty(
        standin,
        tmp_path_factory.mktemp("ns"),
        "nsmall",
        truncated(ns_prices(0)),
        unavailable(ns_prices(2)),
        truncated(ns_page(4)),
        replaced(ns_prices(6), r'\{"goodsCd": "40000061".*?\}', "null"),
        replaced(ns_prices(8), r'(\[)(\{"goodsCd": "40000081".*?)(35900)(.*?\})', r"\1\2\3\4,\g<2>34900\4"),
        replaced(ns_prices(7), r'("goodsCd": "40000071".*?)"dcRate": 10', r'\1"dcRate": "특가"'),
        replaced(ns_page(1, "shopplus"), '"formEndDttm": "2025-08-07 15', '"formEndDttm": "2025-08-07 10', count=1),
    )


@pytest.mark.parametrize(("ahead", "reason"), [(0, "truncated or no JSON"), (2, "HTTP 503")])
def test_ns_without_prices_is_listed_but_not_complete(ns: Crawled, ahead: int, reason: str) -> None:
    scope = ns.day(4, ahead)
    assert (scope.complete, scope.items) == (False, 3)
    assert reason in str(scope.reason)
    assert "brdctPriceInfo" in str(scope.reason)
    shows = [s for s in ns.shows if s["channel_id"] == 4 and s["requested_day"] == day(ahead).isoformat()]
    unread = ("price", "price_kind", "list_price", "discount_rate")
    assert {(s["price_kind"], *s["unread"]) for s in shows} == {("unknown", *unread)}


def test_ns_truncated_schedule_is_incomplete(ns: Crawled) -> None:
    assert (ns.day(4, 4).complete, ns.day(4, 4).items) == (False, 0)


def test_ns_unreadable_price_row_costs_one_price(ns: Crawled) -> None:
    assert ns.day(4, 6).complete
    unknown = {(s["requested_day"], s["source_product_id"]) for s in ns.shows if s["price_kind"] == "unknown"}
    assert [number for asked, number in unknown if asked == "2025-08-12"] == [40_000_061]
    assert {s["source_product_id"] for s in ns.shows if s["unread"] and s["requested_day"] == "2025-08-12"} == {
        40_000_061
    }
    assert [fault.count for fault in ns.faults("schedule", "prices") if "20250812" in fault.page] == [1]


def test_a_rate_that_cannot_be_read_is_marked_as_unread(ns: Crawled) -> None:
    shows = {s["source_product_id"]: s for s in ns.shows if s["requested_day"] == "2025-08-13"}
    assert (shows[40_000_071]["unread"], shows[40_000_071]["price"]) == (["discount_rate"], 35_900)
    assert (shows[40_000_073]["unread"], shows[40_000_073]["discount_rate"]) == ([], 10)


def test_ns_product_with_two_prices_keeps_the_known_one(ns: Crawled) -> None:
    reasons = [fault.reason for fault in ns.faults("schedule", "prices") if "20250814" in fault.page]
    assert reasons == ["product 40000081 is listed twice, for 35900 and 34900 won"]
    unread = {s["source_product_id"] for s in ns.shows if s["unread"] and s["requested_day"] == "2025-08-14"}
    assert unread == {40_000_081}


def test_ns_end_with_the_date_of_the_start_is_moved_past_it(ns: Crawled) -> None:
    (item,) = [s for s in ns.shows if s["source_product_id"] == 50_000_011]
    assert (item["starts_at"], item["ends_at"]) == ("2025-08-07T05:00:00Z", "2025-08-08T01:00:00Z")


def test_robots_txt_is_obeyed(standin: Standin, tmp_path: Path) -> None:
    standin.faults.seen.clear()
    rule = replaced("/robots.txt", r"(?s)^.*$", "User-agent: *\nDisallow: /mapi.nsmall.com/md/\n", count=1)
    with pytest.raises(CrawlFailed, match=r"robots\.txt of 127\.0\.0\.1:\d+ forbids the page"):
        faulty(standin, tmp_path, "nsmall", rule)
    assert {target for _, target in standin.faults.seen} == {"/robots.txt?"}
    assert list_runs(open_store(str(tmp_path)), "nsmall", "schedule") == []


def test_a_robots_txt_that_cannot_be_read_forbids_everything(standin: Standin, tmp_path: Path) -> None:
    standin.faults.seen.clear()
    with pytest.raises(CrawlFailed, match=r"robots\.txt of 127\.0\.0\.1:\d+ could not be read"):
        faulty(standin, tmp_path, "hmall", unavailable("/robots.txt"))
    assert [target for _, target in standin.faults.seen] == ["/robots.txt?"] * 2


def test_a_host_that_asks_for_a_long_pause_is_not_asked_again(standin: Standin, tmp_path: Path) -> None:
    standin.faults.seen.clear()
    settings = standin.settings.model_copy(update={"crawl_concurrency": 1})
    standin.faults.rules[:] = [unavailable("broadDay", retry_after="3600")]
    try:
        with pytest.raises(CrawlFailed, match="HTTP 503, Retry-After: 3600"):
            crawl_into(tmp_path, "hnsmall", settings, days=DAYS)
    finally:
        standin.faults.rules.clear()
    assert len(standin.faults.requests_for("broadDay")) == 1


def test_a_crawl_without_items_fails_in_one_line_and_saves_pages(standin: Standin, tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed) as failed:
        faulty(standin, tmp_path, "hnsmall", without("broadDay", "li.item"))
    assert "\n" not in str(failed.value)
    assert "read no item from 10 scopes" in str(failed.value)
    assert "the page lists no shows" in str(failed.value)
    store = open_store(str(tmp_path))
    assert list_runs(store, "hnsmall", "schedule") == []
    assert len([key for key in store.list("faults/hnsmall/") if key.endswith(".gz")]) == 9
