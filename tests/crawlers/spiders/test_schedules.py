"""The three broadcasters' spiders against the stand-in, quirk by quirk."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import TextResponse

from crawlers.items import Show
from crawlers.job import Job
from crawlers.settings import CrawlSettings
from crawlers.spiders.hmall import HmallSpider
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, Crawled, catalog, crawl_into, day, show

HNS = [
    show(1, "10:00", "11:00", 10_000_001, price_text="상담 예약 상품", dc_rate_text=None),
    show(1, "10:00", "11:00", 10_000_002, "sub", thumbnail_url="https://image.example/2.png"),
    show(1, "11:00", "13:00", 10_000_003),  # on air at noon; an odd id: hyphens in the date of its end
    show(1, "11:00", "13:00", 10_000_004, "sub"),
    show(1, "13:00", "14:00", 10_000_005, product_name="르베라쥬  앰플\n마스크", title=None),
    show(1, "23:50", "01:00", 10_000_006),
    show(1, "23:50", "01:00", 10_000_007, "sub"),
    show(1, "25:10", "26:00", 10_000_008),  # on the page of DAY, airs in the night after it
    show(1, "00:30", "01:10", 10_000_009, on=-1),  # on the day before, which is not requested
    show(1, "24:30", "00:50", 10_000_010, on=-1),  # on the page of the day before, airs in the night of DAY
    show(1, "01:10", "02:00", 10_000_008, on=1),  # the same show as on the page of DAY, listed again
    show(1, "24:10", "25:00", 10_000_011, on=1),  # after the last requested day
]
HMALL = [
    show(2, "01:00", "02:00", 2_235_385_519, on=-1, sale_price=598_000, dc_price=568_000),
    show(2, "01:00", "02:00", 2_232_771_172, "sub", on=-1),
    show(2, "05:20", "06:15", 2_234_340_850, title=None),
    show(2, "23:40", "00:59", 2_237_741_839),
    show(2, "23:40", "00:59", 2_237_741_922, "sub"),
    show(2, "04:50", "05:20", 2_151_780_526),  # airs on DAY + 1
    show(2, "24:30", "25:10", 2_151_780_527),
    show(2, "09:00", "10:00", 2_237_741_930, on=1),  # a day without subs, after one with subs
    show(2, "10:00", "11:00", 2_237_741_931, on=1),
    show(3, "09:19", "10:19", 2_229_325_423, dc_price=None),
    show(3, "10:19", "11:19", 2_229_325_424),
]
NS = [
    show(4, "09:00", "10:00", 35_000_001, sale_price=39_900, dc_price=29_900),
    show(4, "09:00", "10:00", 35_000_002, "sub", sale_price=0, dc_price=0, thumbnail_url="http://i.example/2_F.jpg"),
    show(4, "10:00", "11:00", 35_000_003, sale_price=None, dc_price=None),
    show(4, "23:50", "01:00", 35_000_004),
    show(4, "24:10", "25:10", 35_000_005),
    show(5, "09:44", "10:44", 35_000_006),
    show(5, "09:44", "10:44", 35_000_007, "sub", thumbnail_url="//i.example/7_F.jpg"),
    show(5, "10:44", "11:44", 35_000_008),  # after the last sub
    show(5, "11:44", "12:44", 35_000_009),
]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running_standin(catalog(shows=[*HNS, *HMALL, *NS]), NOON) as running:
        yield running


@pytest.fixture(scope="module")
def hns(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return crawl_into(tmp_path_factory.mktemp("hns"), "hnsmall", standin.settings, days=2)


@pytest.fixture(scope="module")
def hmall(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return crawl_into(tmp_path_factory.mktemp("hmall"), "hmall", standin.settings, days=2)


@pytest.fixture(scope="module")
def ns(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return crawl_into(tmp_path_factory.mktemp("ns"), "nsmall", standin.settings, days=2)


def by_id(crawled: Crawled) -> dict[int, dict[str, Any]]:
    shows = {show["source_product_id"]: show for show in crawled.shows}
    assert len(shows) == len(crawled.shows)
    return shows


def airs(show: dict[str, Any]) -> tuple[str, str]:
    """Start and end in UTC, as ``MM-DD HH:MM``."""
    start, end = (datetime.fromisoformat(show[name]).astimezone(UTC) for name in ("starts_at", "ends_at"))
    return f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}"


def test_hns_main_and_sub_share_times_and_title(hns: Crawled) -> None:
    shows = by_id(hns)
    main, sub = shows[10_000_001], shows[10_000_002]
    assert (main["slot"], sub["slot"]) == ("main", "sub")
    assert airs(main) == airs(sub) == ("08-06 01:00", "08-06 02:00")
    assert main["title"] == sub["title"] == "김치 특집"
    assert sub["thumbnail_url"] == "https://image.example/2.png"


def test_hns_price_on_request_stays_so_though_its_sub_has_a_price(hns: Crawled) -> None:
    shows = by_id(hns)
    assert (shows[10_000_001]["price"], shows[10_000_001]["price_kind"]) == (None, "consult")
    assert (shows[10_000_002]["price"], shows[10_000_002]["price_kind"]) == (39_900, "amount")
    assert shows[10_000_002]["list_price"] is None
    assert hns.faults("schedule", "price") == []


def test_hns_show_on_air_has_its_end_and_no_start(hns: Crawled) -> None:
    shows = by_id(hns)
    for number, slot in ((10_000_003, "main"), (10_000_004, "sub")):
        item = shows[number]
        assert (item["slot"], item["on_air"], item["starts_at"], item["title"]) == (slot, True, None, "김치 특집")
        assert item["ends_at"] == "2025-08-06T04:00:00Z"
        assert item["requested_day"] == "2025-08-06"


def test_hns_show_on_air_is_the_same_in_every_crawl(hns: Crawled, standin: Standin, tmp_path: Path) -> None:
    later = crawl_into(tmp_path, "hnsmall", standin.settings, days=2, now=NOON + timedelta(minutes=40))
    seen = [
        sorted((show for show in crawled.shows if show["on_air"]), key=lambda show: show["source_product_id"])
        for crawled in (hns, later)
    ]
    assert len(seen[0]) == 2
    assert [show | {"observed_at": ""} for show in seen[0]] == [show | {"observed_at": ""} for show in seen[1]]
    assert {show["observed_at"] for show in seen[1]} == {"2025-08-06T03:40:00Z"}


def test_hns_names_lose_the_line_breaks_of_the_page(hns: Crawled) -> None:
    item = by_id(hns)[10_000_005]
    assert item["product_name"] == "르베라쥬 앰플 마스크"
    assert item["title"] is None


def test_hns_night_shows_end_or_start_on_the_next_day(hns: Crawled) -> None:
    shows = by_id(hns)
    assert airs(shows[10_000_006]) == airs(shows[10_000_007]) == ("08-06 14:50", "08-06 16:00")
    assert airs(shows[10_000_008]) == ("08-06 16:10", "08-06 17:00")
    assert shows[10_000_006]["requested_day"] == "2025-08-06"
    assert shows[10_000_008]["requested_day"] == "2025-08-07"


def test_a_night_show_on_the_page_before_is_filed_under_its_day(hns: Crawled) -> None:
    item = by_id(hns)[10_000_010]
    assert airs(item) == ("08-05 15:30", "08-05 15:50")
    assert item["requested_day"] == "2025-08-06"
    assert item["page_url"].endswith("broadDay=20250805")


def test_other_days_are_dropped_with_a_count_and_nothing_is_doubled(hns: Crawled) -> None:
    assert by_id(hns).keys() == {10_000_000 + n for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)}
    assert hns.day(1, 0).items == 8
    assert hns.day(1, 1).items == 1
    assert hns.day(1, 1).dropped == {"listed twice": 1, "starts on a day not requested": 1}
    assert all(scope.complete for scope in hns.reports["schedule"].scopes)


def test_hmall_overnight_main_and_sub_air_on_the_requested_day(hmall: Crawled) -> None:
    shows = by_id(hmall)
    for number, slot in ((2_235_385_519, "main"), (2_232_771_172, "sub")):
        assert shows[number]["slot"] == slot
        assert airs(shows[number]) == ("08-05 16:00", "08-05 17:00")
        assert shows[number]["requested_day"] == "2025-08-06"


def test_hmall_times_before_the_day_turns_after_midnight_and_past_24(hmall: Crawled) -> None:
    shows = by_id(hmall)
    assert airs(shows[2_234_340_850]) == ("08-05 20:20", "08-05 21:15")
    assert airs(shows[2_237_741_839]) == airs(shows[2_237_741_922]) == ("08-06 14:40", "08-06 15:59")
    assert airs(shows[2_151_780_526]) == ("08-06 19:50", "08-06 20:20")
    assert airs(shows[2_151_780_527]) == ("08-06 15:30", "08-06 16:10")
    assert shows[2_151_780_527]["requested_day"] == "2025-08-07"


def test_hmall_prices_ids_and_images(hmall: Crawled) -> None:
    item = by_id(hmall)[2_235_385_519]
    assert (item["list_price"], item["price"]) == (598_000, 568_000)
    assert item["thumbnail_url"] == "https://image.hmall.com/static/5/5/38/35/onair2235385519.jpg?AR=0&SF=webp"
    sub = by_id(hmall)[2_232_771_172]
    assert sub["thumbnail_url"] == "https://image.hmall.com/static/1/1/77/32/2232771172_0.jpg?RS=125x125&AR=0&SF=webp"
    assert by_id(hmall)[2_234_340_850]["title"] is None


def test_hmall_day_without_subs_keeps_all_its_mains(hmall: Crawled) -> None:
    assert {show["source_product_id"] for show in hmall.shows if show["channel_id"] == 3} == {
        2_229_325_423,
        2_229_325_424,
    }


def test_hmall_mains_after_the_last_sub_are_kept(hmall: Crawled) -> None:
    last = by_id(hmall)[2_151_780_527]
    assert (last["slot"], last["page_url"]) == ("main", by_id(hmall)[2_237_741_922]["page_url"])


def test_hmall_a_day_without_subs_repeats_nothing_of_the_day_before(hmall: Crawled) -> None:
    of_the_page = [show for show in hmall.shows if "brodDt=20250807" in show["page_url"] and show["channel_id"] == 2]
    assert {show["source_product_id"] for show in of_the_page} == {2_151_780_526, 2_237_741_930, 2_237_741_931}
    assert {show["slot"] for show in of_the_page} == {"main"}


def test_ids_above_32_bits_keep_their_identity(hmall: Crawled) -> None:
    listed = {row.product_id for row in HMALL}
    assert min(listed) > 2**31 - 1
    assert {show["source_product_id"] for show in hmall.shows} == listed
    assert {item["source_product_id"] for item in hmall.items["products"]} == listed


def test_hmall_missing_price_is_unknown_and_counted(hmall: Crawled) -> None:
    item = by_id(hmall)[2_229_325_423]
    assert (item["list_price"], item["price"], item["price_kind"]) == (39_900, None, "unknown")
    (fault,) = hmall.faults("schedule", "price")
    assert (fault.count, "brodType=dtv" in fault.page) == (1, True)
    assert hmall.day(3, 0).complete


def test_ns_prices_are_joined_by_product(ns: Crawled) -> None:
    item = by_id(ns)[35_000_001]
    assert (item["list_price"], item["price"]) == (39_900, 29_900)
    assert item["thumbnail_url"] == "https://product-image.prod-nsmall.com/new/35000001_X6.jpg"
    assert by_id(ns)[35_000_007]["thumbnail_url"] == "https://i.example/7_F.jpg"


def test_ns_zero_price_and_missing_price_row_are_unknown(ns: Crawled) -> None:
    for number in (35_000_002, 35_000_003):
        item = by_id(ns)[number]
        assert (item["list_price"], item["price"], item["price_kind"]) == (None, None, "unknown")
    assert [fault.count for fault in ns.faults("schedule", "price")] == [2]
    assert ns.day(4, 0).complete


def test_ns_mains_after_the_last_sub_are_not_lost(ns: Crawled) -> None:
    assert ns.day(5, 0).items == 4
    assert {35_000_008, 35_000_009} <= by_id(ns).keys()


def test_ns_nights(ns: Crawled) -> None:
    shows = by_id(ns)
    assert airs(shows[35_000_004]) == ("08-06 14:50", "08-06 16:00")
    assert airs(shows[35_000_005]) == ("08-06 15:10", "08-06 16:10")
    assert shows[35_000_005]["requested_day"] == "2025-08-07"


def test_a_day_without_shows_is_incomplete_and_cancels_nothing(ns: Crawled) -> None:
    scope = ns.day(4, 1)
    assert (scope.complete, scope.items) == (False, 1)
    assert "lists no shows" in str(scope.reason)


@pytest.mark.parametrize("source", ["hns", "hmall", "ns"])
def test_every_item_has_its_instant_and_its_page(source: str, request: pytest.FixtureRequest) -> None:
    crawled: Crawled = request.getfixturevalue(source)
    report = crawled.reports["schedule"]
    assert {item["observed_at"] for item in crawled.shows} == {"2025-08-06T03:00:00Z"}
    assert all(item["page_url"].startswith("http://127.0.0.1:") for item in crawled.shows)
    assert report.day == DAY
    assert report.items == len(crawled.shows) == sum(scope.items for scope in report.scopes)
    requested = {scope.key["day"] for scope in report.scopes}
    assert requested == {day(0).isoformat(), day(1).isoformat()}


def test_page_state_does_not_depend_on_the_order_of_responses(tmp_path: Path) -> None:
    days = {
        ("etv", DAY): _hmall_response("20250806", "10:00", "11:00", 35_900),
        ("dtv", DAY): _hmall_response("20250806", "12:00", "13:00", 27_900),
        ("etv", day(-1)): _hmall_response(
            "20250805", "34:00", "35:00", 25_900
        ),  # the first show, listed with another price
    }
    states = []
    for name, order in (("as_requested", list(days)), ("backwards", list(reversed(days)))):
        (tmp_path / name).mkdir()
        job = Job(
            source="hmall", day=DAY, days=1, now=NOON, settings=CrawlSettings(), folder=tmp_path / name, requests_left=9
        )
        spider = HmallSpider(job)
        for channel, of in order:
            response = TextResponse(spider.page_url(channel, of), body=days[channel, of], encoding="utf-8")
            assert all(isinstance(item, Show) for item in spider.parse_schedule(response, (), channel, of))
        states.append(list(spider.page_state.rows()))
        spider.page_state.close()
        spider.checkpoints.close()
    assert states[0] == states[1]
    assert [row.product_id for row in states[0]] == [2_229_325_423]


def _hmall_response(broadcast_day: str, start: str, end: str, price: int) -> bytes:
    row = {
        "brodDt": broadcast_day,
        "brodStrtDtm": start,
        "brodEndDtm": end,
        "slitmCd": "2229325423",
        "slitmNm": "포기김치",
        "sellPrc": 39_900,
        "bbprc": price,
    }
    return json.dumps({"respData": {"broadItemList": [row]}}).encode()
