"""The stand-in: structure of its pages, its catalog, and its HTTP responses."""

import base64
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from parsel import Selector

from crawlers.items import CATEGORIES
from crawlers.standin.catalog import KokRow, load_catalog
from crawlers.standin.server import Site, Standin, base_urls, running_standin, serve
from tests.builders.small_crawl import DAY, NOON, catalog, kok, show

SHOWS = [
    show(1, "11:00", "13:00", 10_000_002, price_text="상담 예약 상품"),
    show(1, "13:00", "14:00", 10_000_004),
    show(2, "01:00", "02:00", 2_235_385_519, on=-1),
    show(2, "01:00", "02:00", 2_235_385_520, "sub", on=-1),
    show(4, "23:50", "01:00", 35_000_001, sale_price=None),
]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    products = [kok(n) for n in (1_000_002, 1_000_000, 1_000_001)]
    with running_standin(catalog(kok=products, shows=SHOWS), NOON) as running:
        yield running


@pytest.fixture(scope="module")
def client(standin: Standin) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.url) as http:
        yield http


LIST = "/kok.uplus.co.kr/m/event/category/uplus/page?code=1611&page=1&size=20&sort=recommend_asc&version=202507311600&"
HNS = "/www.hnsmall.com/display/tvschedule-list?categoryCode=60000059&areaCode=8005369&broadDay=20250806"
HMALL = "/wwwca.hmall.com/api/hf/dp/v1/main-tv-new/tv-list?brodPrrgPage=200&brodType=etv&deviceInfo=pc&brodDt="
NS = "/mapi.nsmall.com/md/api/v1/display/media/schedule"


def test_kok_ids_are_in_three_places_and_outnumber_the_cards(client: httpx.Client) -> None:
    page = Selector(client.get(LIST).text)
    cards = page.css("div.card.product-section-ul-li")
    assert len(cards) == 3
    assert len(page.css("[data-product-id]")) == 4  # reading them by position would shift every price
    assert cards.xpath("@data-product-id").getall() == ["1000002"]
    assert cards.xpath(".//@data-product-id").getall() == ["1000002", "1000000"]
    assert cards.xpath("parent::li/@data-product-id").getall() == ["1000001"]
    assert page.css(".card-info_price strong::text").re_first("[0-9,]+") == f"{kok(1_000_002).price:,}"
    assert page.css(".card img::attr(src)").get("").startswith("//")


def test_kok_product_page_has_every_element(client: httpx.Client) -> None:
    page = Selector(client.get("/kok.uplus.co.kr/m/product?proCode=MTAwMDAwMA==").text)
    for css in (
        "span.product__title > strong",
        "div.card-info.mt--4",
        "div.card_main-image img[src='about:blank']",  # every fifth product
        "meta[property='og:image']",
        "table.row-table.mb--40",
        "div.product_info_area img",
        "div.tab_info.product_more",
        "div.heading_4Sb.mb--16",
        "div.pro_detail_buy_table_liner + table.row-table",
        "div.card-info-del_wrap del",
        "button#review_show",
    ):
        assert page.css(css), css


def test_hns_hides_the_start_of_the_show_on_air(client: httpx.Client) -> None:
    page = Selector(client.get(HNS).text)
    assert page.css("#onAirTime").attrib["bdetimesecond"] == "20250806 13:00:00"
    assert page.css("div#scheduleWrap[date='20250806'] li.item .live-time span::text").getall() == [
        "지금방송중",
        "13:00 ~ 14:00",
    ]
    assert page.css(".price p.counselPrd::text").getall() == ["상담 예약 상품"]


def test_hmall_names_the_broadcast_day_and_on_mains_the_calendar_day(client: httpx.Client) -> None:
    (main,) = client.get(f"{HMALL}20250806").json()["respData"]["broadItemList"]
    (sub,) = main["withItemList"]
    assert (main["brodDt"], main["newBrodDt"], sub["brodDt"]) == ("20250805", "20250806", "20250805")
    assert "newBrodDt" not in sub
    assert client.get(f"{HMALL}20250805").json()["respData"]["broadItemList"] == []


def test_ns_schedule_has_no_prices_and_the_prices_lack_a_product(client: httpx.Client) -> None:
    (main,) = client.get(f"{NS}/tv/20250806?formDate=20250806&cnnlCd=TV").json()["data"]["resultData"]["totalOrgan"]
    assert main["relTotalOrgan"] == []
    assert main["goods"]["brdctInfo"] == {"formStartDttm": "2025-08-06 23:50:00", "formEndDttm": "2025-08-07 01:00:00"}
    assert client.get(f"{NS}/brdctPriceInfo?formDate=20250806&CnnlCd=tv").json()["data"]["resultData"] == []


AT_NOON = "Wed, 06 Aug 2025 03:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "THE PAGE'S"}, 304),
        ({"If-None-Match": 'W/THE PAGE\'S, "other"'}, 304),
        ({"If-Modified-Since": AT_NOON}, 304),
        ({"If-Modified-Since": "Thu, 07 Aug 2025 03:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Wed, 06 Aug 2025 02:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Thu, 07 Aug 2025 03:00:00 -0000"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": AT_NOON}, 200),
        ({}, 200),
    ],
)
def test_a_page_that_the_client_has_is_answered_with_304(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    first = client.get(LIST)
    assert first.headers["Last-Modified"] == AT_NOON
    filled = {name: value.replace("THE PAGE'S", first.headers["ETag"]) for name, value in headers.items()}
    again = client.get(LIST, headers=filled)
    assert (again.status_code, again.content) == (status, first.content if status == 200 else b"")


def test_another_catalog_is_served_while_it_runs() -> None:
    def page(http: httpx.Client, number: int) -> httpx.Response:
        code = base64.b64encode(str(number).encode()).decode()
        return http.get("/kok.uplus.co.kr/m/product", params={"proCode": code})

    def validators(answer: httpx.Response) -> tuple[str, str]:
        return answer.headers["ETag"], answer.headers["Last-Modified"]

    one, two = kok(1_000_001), kok(1_000_002)
    with running_standin(catalog(kok=[one, two]), NOON) as changing, httpx.Client(base_url=changing.url) as http:
        before = [validators(page(http, number)) for number in (1_000_001, 1_000_002)]
        cheaper = kok(1_000_001, price=500, discount_rate=95)
        changing.show(catalog(kok=[cheaper]))
        changed, gone = page(http, 1_000_001), page(http, 1_000_002)
        assert (changed.status_code, gone.status_code) == (200, 404)
        assert "<strong>500</strong>" in changed.text
        assert validators(changed) == (changed.headers["ETag"], "Wed, 06 Aug 2025 03:00:01 GMT")  # a second on
        changing.show(catalog(kok=[one, two, kok(1_000_003)]), NOON + timedelta(hours=3))
        after = [validators(page(http, number)) for number in (1_000_001, 1_000_002, 1_000_003)]
    assert after[0] == (
        before[0][0],
        "Wed, 06 Aug 2025 06:00:00 GMT",
    )  # as at first, but changed in between
    assert after[1] == before[1]  # not requested while it was changed
    assert after[2][1] == "Wed, 06 Aug 2025 06:00:00 GMT"


def test_the_clock_of_a_new_catalog_determines_the_show_on_air() -> None:
    with running_standin(catalog(shows=SHOWS), NOON) as later, httpx.Client(base_url=later.url) as http:
        assert "지금방송중" in http.get(HNS).text.partition("13:00 ~ 14:00")[0]
        later.show(catalog(shows=SHOWS), NOON + timedelta(hours=1))
        assert "지금방송중" in http.get(HNS).text.partition("11:00 ~ 13:00")[2]


def test_an_invalid_catalog_leaves_the_current_one(standin: Standin, client: httpx.Client) -> None:
    before = client.get(LIST)
    with pytest.raises(ValueError, match="one main product"):
        standin.show(catalog(shows=[show(1, "11:00", "12:00", 1, "sub")]))
    again = client.get(LIST)
    assert (again.content, again.headers["Last-Modified"]) == (before.content, before.headers["Last-Modified"])


def test_products_are_repeated_with_further_ids() -> None:
    few = catalog(kok=[kok(1_000_001), kok(1_000_002, category="1613")], shows=SHOWS)
    many = few.multiplied(5)
    ids = [product.product_id for product in many.kok]
    assert ids == [1_000_001, 1_000_002, 11_000_001, 11_000_002, 21_000_001]
    assert [product.category for product in many.kok] == ["1611", "1613", "1611", "1613", "1611"]
    assert many.shows == few.shows
    assert few.multiplied(1).kok == few.kok[:1]
    with pytest.raises(ValueError, match="no product"):
        catalog(shows=SHOWS).multiplied(5)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/robots.txt", 200),
        ("/kok.uplus.co.kr/robots.txt", 200),
        ("/kok.uplus.co.kr/m/product?proCode=OTk=", 404),
        ("/kok.uplus.co.kr/m/product?proCode=%21", 404),
        ("/kok.uplus.co.kr/m/product", 400),
        (HNS.replace("20250806", "someday"), 400),
        (f"{NS}/radio/20250806", 404),
        ("/elsewhere/", 404),
    ],
)
def test_status_of_responses(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_env_points_every_host_at_the_stand_in(standin: Standin) -> None:
    assert standin.env["UKOK_NSMALL_API_URL"] == f"{standin.url}/mapi.nsmall.com" == standin.settings.nsmall_api_url
    assert base_urls("http://x:1")["UKOK_KOK_URL"] == "http://x:1/kok.uplus.co.kr"
    assert len(base_urls("http://x:1")) == 7
    assert standin.env["UKOK_IMAGE_URL"] == f"{standin.url}/image" == standin.settings.image_url


def test_missing_values_of_a_row_are_derived_from_its_id() -> None:
    row = {"product_id": 10_047_624, "store_name": "초록상회", "product_name": "햇감자", "list_price": 38_000}
    derived = KokRow.model_validate(row)
    assert derived == KokRow.model_validate(row)
    assert (derived.category, derived.discount_rate, derived.price) == ("1620", 17, 31_540)
    assert (derived.review_score, derived.review_count) == (None, None)
    assert len({kok(n, category=CATEGORIES[n % 13]).category for n in range(1, 50)}) == 13


def test_shifting_moves_all_dates_equally() -> None:
    moved = catalog(shows=SHOWS).shifted(date(2026, 1, 1))
    assert [s.broadcast_date for s in moved.shows] == [date(2026, 1, d) for d in (2, 2, 1, 1, 2)]
    assert DAY not in {s.broadcast_date for s in moved.shows}


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("kok_products.jsonl", "{", "line 2: Expecting"),
        ("kok_products.jsonl", '{"product_id": 1}', "line 2: .*store_name"),
        ("broadcasts.jsonl", '{"channel_id": 1, "broadcast_date": "soon"}', "line 2: .*is not a date"),
        (
            "broadcasts.jsonl",
            SHOWS[0].model_dump_json().replace("11:00", "11시"),
            "line 2: .*is not a time",
        ),
    ],
)
def test_a_bad_catalog_row_is_named_by_its_place(tmp_path: Path, name: str, line: str, reason: str) -> None:
    (tmp_path / "kok_products.jsonl").write_text(kok(1).model_dump_json() + "\n")
    (tmp_path / "broadcasts.jsonl").write_text(SHOWS[0].model_dump_json() + "\n")
    assert load_catalog(tmp_path).shows == (SHOWS[0],)
    with (tmp_path / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=rf"(?s){name}, {reason}"):
        load_catalog(tmp_path)


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks .*kok_products\.jsonl"):
        load_catalog(tmp_path)


def test_two_stand_ins_run_side_by_side(standin: Standin) -> None:
    with running_standin(catalog(), datetime(2025, 1, 1, tzinfo=UTC)) as other:
        assert httpx.get(f"{other.url}{HNS}").status_code == 200
        assert other.url != standin.url


def test_the_server_serves_the_demo_catalog_until_it_is_stopped(tmp_path: Path) -> None:
    code = "from crawlers.standin.catalog import load_catalog; from crawlers.standin.server import Site, serve;"
    command = [sys.executable, "-c", f"{code} serve(Site(load_catalog()), '127.0.0.1', 0)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = re.search(r"url=(\S+)", re.sub(r"\x1b\[[0-9;]*m", "", server.stdout.readline()))
        assert url is not None
        page = Selector(httpx.get(f"{url[1]}{LIST}", timeout=120).text)
        assert page.css("div.card.product-section-ul-li")
        server.terminate()
        assert server.wait(timeout=120) in (0, -signal.SIGTERM)


def test_a_port_that_is_taken_is_an_error(standin: Standin) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(Site(catalog()), "127.0.0.1", int(standin.url.rpartition(":")[2]))
