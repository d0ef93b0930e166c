"""Wrong charsets, prices in another dress, rows listed twice, ids of no product: read right, or reported as a fault."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlers.standin.faults import Edit, Fault, replaced
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, Crawled, catalog, crawl_into, day, kok, show

FULL = [kok(1_000_000 + n, category="1611") for n in range(20)]  # a page of ads alone follows the full one
KOK = [*FULL, *(kok(2_000_000 + n, category=f"16{n}") for n in range(13, 25))]
HNS = [show(1, f"{hour:02}:00", f"{hour + 1:02}:00", 10_000_000 + hour) for hour in range(14, 23)]
HMALL = [show(2, "14:00", "15:00", 2_000_000_014 + ahead, on=ahead) for ahead in range(4)]
NS = [show(4, "14:00", "15:00", 35_000_014 + ahead, on=ahead) for ahead in range(4)]
ADS = "".join(
    f'<div class="card product-section-ul-li" data-product-id="{ad}">광고</div>' for ad in ("evt-7", "recent-1")
)


def kok_page(number: int) -> str:
    return f"proCode={base64.b64encode(str(number).encode()).decode()}"


def in_cp949(where: str) -> Fault:
    """Send a page in CP949, though its header says UTF-8."""
    return Fault(where, edit=lambda body: body.decode().encode("cp949"))


def changed(where: str, *changes: tuple[str, str]) -> Fault:
    """Replace patterns in a page, the first match of each."""

    def edit(body: bytes) -> bytes:
        text = body.decode()
        for pattern, by in changes:
            text, count = re.subn(pattern, by, text, count=1)
            assert count, pattern
        return text.encode()

    return Fault(where, edit=edit)


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running_standin(catalog(kok=KOK, shows=[*HNS, *HMALL, *NS]), NOON) as running:
        yield running


def faulty(standin: Standin, folder: Path, source: str, *rules: Fault, days: int = 1) -> Crawled:
    standin.faults.rules[:] = rules
    try:
        return crawl_into(folder, source, standin.settings, days=days)
    finally:
        standin.faults.rules.clear()


@pytest.fixture(scope="module")
def mall(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    seller = "".join(f"<tr><th>항목 {n}</th><td>값 {n}</td></tr>" for n in range(10))
    return faulty(
        standin,
        tmp_path_factory.mktemp("kok"),
        "kok",
        replaced("code=1611&page=2", "</ul>", f"{ADS}</ul>"),
        replaced("code=1611&page=1&", "</ul>", f"{ADS}</ul>"),
        replaced("code=1613", r"<strong>[\d,]+", "<strong>1만 9,900"),
        replaced("code=1614", r"<strong>[\d,]+", "<strong>19,900~"),
        Fault("code=1615", edit=_twice(lambda card: card)),
        Fault("code=1616", edit=_twice(lambda card: re.sub(rb"<strong>[\d,]+", b"<strong>12,900", card))),
        in_cp949(kok_page(2_000_013)),
        replaced(kok_page(2_000_014), "</span>", b"\x00".decode() + "</span>"),
        Fault(kok_page(2_000_015), edit=lambda body: body.replace("햇감자".encode(), b"\xc7\xdf\xff\xff")),
        replaced(kok_page(2_000_016), "햇감자", "햇감자".encode().decode("latin-1")),
        replaced(kok_page(2_000_017), "<head>", f'<head><meta property="og:url" content="/m/product?{kok_page(7)}">'),
        replaced(
            kok_page(2_000_018), "<head>", f'<head><meta property="og:url" content="/m/product?{kok_page(2_000_018)}">'
        ),
        replaced(kok_page(2_000_019), r'(<button id="review_show".*)<strong></strong>', r"\1<strong>(1.2천)</strong>"),
        replaced(
            kok_page(2_000_020),
            r'(?s)(<div class="pro_detail.*?<table class="[^"]+">).*?</table>',
            rf"\1{seller}</table>",
        ),
        replaced(kok_page(2_000_021), r"</strong> 햇감자 \d+g", "</strong> \u3164\u200b"),
    )


def _twice(change: Callable[[bytes], bytes]) -> Edit:
    """Return an edit that lists the first card of a page again, changed."""

    def edit(body: bytes) -> bytes:
        card = body[body.index(b"<li") : body.index(b"</li>") + 5]
        return body.replace(b"</ul>", change(card) + b"</ul>")

    return edit


def card_of(number: int) -> bytes:
    """A card of a product for 12,345 won."""
    return (
        f'<li><div class="card product-section-ul-li" data-product-id="{number}">'
        '<span class="card-info_price"><strong>12,345</strong>원</span></div></li>'
    ).encode()


def names(crawled: Crawled) -> dict[int, str]:
    return {item["kok_product_id"]: item["product_name"] for item in crawled.items["products"]}


def reason(crawled: Crawled, dataset: str, field: str) -> str:
    return " | ".join(fault.reason for fault in crawled.faults(dataset, field))


def reason_for(crawled: Crawled, dataset: str, page: str) -> str:
    return " | ".join(fault.reason for fault in crawled.reports[dataset].faults if page in fault.page)


def test_ids_that_are_not_digits_are_of_no_product(mall: Crawled) -> None:
    scope = mall.scope("prices", category="1611")
    assert (scope.complete, scope.items, scope.dropped["card of no product"]) == (True, 20, 4)


def test_prices_in_another_dress_are_read(mall: Crawled) -> None:
    prices = {item["category"]: item["price"] for item in mall.items["prices"]}
    assert (prices["1613"], prices["1614"]) == (19_900, 19_900)
    assert "'19,900~' is the lowest of several prices" in reason(mall, "prices", "price")


def test_a_card_listed_twice_for_one_price_is_counted(mall: Crawled) -> None:
    scope = mall.scope("prices", category="1615")
    assert (scope.complete, scope.items, scope.dropped) == (True, 1, {"listed twice": 1})


def test_a_card_listed_twice_for_two_prices_is_a_fault(mall: Crawled) -> None:
    scope = mall.scope("prices", category="1616")
    (card,) = [item for item in mall.items["prices"] if item["category"] == "1616"]
    assert (scope.complete, scope.items) == (False, 1)
    assert f"listed twice, for {KOK[-9].price:,} won and for 12,900 won" in str(scope.reason)
    assert (card["price"], card["price_kind"], card["discount_rate"]) == (None, "unknown", 0)
    assert card["unread"] == ["price", "price_kind", "discount_rate"]
    assert all(item["price"] for item in mall.items["prices"] if item is not card)


def test_cp949_behind_a_utf_8_header_is_read_right_and_reported(mall: Crawled) -> None:
    assert names(mall)[2_000_013] == "햇감자 2000013g"
    assert reason(mall, "products", "charset").startswith("read as cp949, although it declares utf-8")


def test_a_page_that_no_charset_reads_is_broken(mall: Crawled) -> None:
    assert 2_000_015 not in names(mall)
    assert "no charset reads the text" in reason(mall, "products", "charset")
    assert not mall.scope("products", products="due").complete


def test_a_title_that_was_read_wrong_before_is_not_filed(mall: Crawled) -> None:
    assert 2_000_016 not in names(mall)
    assert "UTF-8 that was read as Latin-1" in reason_for(mall, "products", kok_page(2_000_016))


def test_a_page_of_another_product_is_broken(mall: Crawled) -> None:
    assert 2_000_017 not in names(mall)
    assert "the page is of product 7, asked for 2000017" in reason(mall, "products", "kok_product_id")
    assert 2_000_018 in names(mall)


def test_a_count_in_thousands_is_not_one(mall: Crawled) -> None:
    assert {p["review_count"] for p in mall.items["products"] if p["kok_product_id"] == 2_000_019} == {1_200}


def test_ten_seller_cells_count_by_their_order(mall: Crawled) -> None:
    (seller,) = [item["seller"] for item in mall.items["products"] if item["kok_product_id"] == 2_000_020]
    assert list(seller.values()) == [f"값 {n}" for n in range(10)]


def test_an_invisible_title_is_none(mall: Crawled) -> None:
    assert 2_000_021 not in names(mall)
    assert "has no visible character" in reason_for(mall, "products", kok_page(2_000_021))


@pytest.fixture(scope="module")
def hns(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    item = r"(?s)(<li class=\"item\">(?:(?!</li>).)*?10000015.*?</li>)"
    facts = (
        "<table><tr><th>원산지</th><td>국내산</td><th>중량</th><td>5kg</td></tr></table>"
        "<table><tr><td>보관 방법</td><td>냉장</td></tr><tr><td>S</td><td>M</td><td>L</td></tr>"
        '<tr><td>가</td><td><img src="a.jpg"></td></tr></table>'
        '<table class="itemTableRow"><tr><th>원산지</th><td>국내산</td></tr></table>'
    )
    return faulty(
        standin,
        tmp_path_factory.mktemp("hns"),
        "hnsmall",
        changed(
            f"broadDay={DAY:%Y%m%d}",
            (item, r"\1\1"),
            (r"(?s)(<li class=\"item\">(?:(?!</li>).)*?10000021.*?<strong>)([\d,]+)(.*?</li>)", r"\1\2\3\g<1>12,900\3"),
            (r"16:00 ~ 17:00", "16:00 ~ 16:00"),
            (r"(?s)(10000017.*?<strong>)[\d,]+", r"\g<1>₩２９，９００"),
            (r"(?s)(10000018.*?<strong>)[\d,]+", r"\g<1>시가"),
            (r'(?s)(10000019.*?<p class="tit">)[^<]*', "\\1\u3164\u2800"),
            (r"(?s)(10000020.*?<span>)10(?=</span>)", r"\g<1>최대 32 %"),
        ),
        replaced("goods-describe.do", "</body>", f"{facts}</body>"),
    )


def test_facts_in_tables_of_the_description_are_details(hns: Crawled) -> None:
    framed = [p for p in hns.items["products"] if any(row["value"] == "5kg" for row in p["details"])]
    assert framed
    for product in framed:
        found = [(row["name"], row["value"]) for row in product["details"]]
        assert {("원산지", "국내산"), ("중량", "5kg"), ("보관 방법", "냉장")} <= set(found)
        assert {"S", "가"}.isdisjoint(dict(found))
        assert len(set(found)) == len(found) > 3


def test_faults_of_rows_are_reported_and_the_others_read(hns: Crawled) -> None:
    shows = {item["source_product_id"]: item for item in hns.shows}
    assert shows[10_000_017]["price"] == 29_900
    assert shows[10_000_018]["price_kind"] == "unknown"
    assert shows[10_000_018]["unread"] == ["discount_rate", "price", "price_kind"]
    assert shows[10_000_017]["unread"] == []
    assert "'시가' is not a price" in reason(hns, "schedule", "price")
    assert 10_000_016 not in shows
    assert "'16:00 ~ 16:00' is not a time range" in reason(hns, "schedule", "starts_at")
    assert 10_000_019 not in shows  # its title has no visible character
    assert shows[10_000_020]["discount_rate"] == 32
    assert not hns.day(1, 0).complete


def test_a_show_listed_twice_for_two_prices_has_none(hns: Crawled) -> None:
    (twice,) = [item for item in hns.shows if item["source_product_id"] == 10_000_021]
    assert "listed twice, for 39,900 won and for 12,900 won" in reason(hns, "schedule", "price")
    assert (twice["price"], twice["price_kind"], twice["discount_rate"]) == (None, "unknown", None)
    assert {"price", "price_kind", "list_price", "discount_rate"} <= set(twice["unread"])


def test_two_prices_on_two_pages_of_a_list_are_none(standin: Standin, tmp_path: Path) -> None:
    again = Fault("code=1611&page=2", edit=lambda body: body.replace(b"</ul>", card_of(1_000_019) + b"</ul>"))
    crawled = faulty(standin, tmp_path, "kok", again)
    (card,) = [item for item in crawled.items["prices"] if item["kok_product_id"] == 1_000_019]
    assert (card["price"], card["unread"]) == (None, ["price", "price_kind", "discount_rate"])
    assert "for 12,345 won" in reason(crawled, "prices", "price")


@pytest.mark.parametrize(
    ("source", "page"),
    [("hmall", "brodDt={:%Y%m%d}&"), ("nsmall", "/tv/{:%Y%m%d}?")],
)
def test_json_in_a_wrong_charset_is_read_right_or_reported(
    standin: Standin, tmp_path: Path, source: str, page: str
) -> None:
    channel, first = {"hmall": (2, 2_000_000_014), "nsmall": (4, 35_000_014)}[source]
    crawled = faulty(
        standin,
        tmp_path,
        source,
        in_cp949(page.format(DAY)),
        replaced(page.format(day(1)), "포기김치", "포기김치".encode().decode("latin-1")),
        Fault(page.format(day(2)), edit=lambda body: body.replace("포기".encode(), b"\xc7\xdf\xff\xff")),
        days=4,
    )
    shows = {item["source_product_id"]: item["product_name"] for item in crawled.shows}
    assert shows == {first: f"포기김치 {first}", first + 3: f"포기김치 {first + 3}"}
    assert [crawled.day(channel, ahead).complete for ahead in range(3)] == [True, False, False]
    assert "read as cp949" in reason(crawled, "schedule", "charset")
    assert "no charset reads" in reason(crawled, "schedule", "charset")
