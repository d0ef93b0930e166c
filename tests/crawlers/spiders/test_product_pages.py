"""Handwritten product pages, part by part: what is read from them, and what happens where a part is missing."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.items import HomeShoppingProduct, KokProduct
from crawlers.job import Job
from crawlers.quality.contracts import BrokenPage
from crawlers.settings import CrawlSettings
from crawlers.spiders.hmall import HmallSpider
from crawlers.spiders.hnsmall import HnsmallSpider
from crawlers.spiders.kok import KokSpider
from crawlers.spiders.nsmall import NsmallSpider
from crawlers.spiders_base.source_spider import SourceSpider
from crawlers.standin.faults import truncated, unavailable
from crawlers.standin.server import running_standin
from tests.builders.small_crawl import DAY, NOON, catalog, crawl_into, show

Read = Callable[..., Any]
NUMBER = 2_234_340_850  # above 2^31


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[[type[SourceSpider]], SourceSpider]]:
    """Make a spider of a class, without a crawl."""
    with ExitStack() as stack:

        def make(spider_class: type[SourceSpider]) -> SourceSpider:
            job = Job(
                source=str(spider_class.name),
                day=DAY,
                days=1,
                now=NOON,
                settings=CrawlSettings(),
                folder=tmp_path,
                requests_left=100,
            )
            spider = spider_class(job)
            stack.callback(spider.page_state.close)
            stack.callback(spider.checkpoints.close)
            return spider

        yield make


@pytest.fixture
def kok(made: Callable[[type[SourceSpider]], SourceSpider]) -> SourceSpider:
    return made(KokSpider)


@pytest.fixture
def hns(made: Callable[[type[SourceSpider]], SourceSpider]) -> SourceSpider:
    return made(HnsmallSpider)


@pytest.fixture
def hmall(made: Callable[[type[SourceSpider]], SourceSpider]) -> SourceSpider:
    return made(HmallSpider)


@pytest.fixture
def ns(made: Callable[[type[SourceSpider]], SourceSpider]) -> SourceSpider:
    return made(NsmallSpider)


def response(spider: SourceSpider, body: str, number: int = NUMBER, head: str = "") -> Response:
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    return HtmlResponse(spider.product_url(number), body=page.encode(), encoding="utf-8")


def read(spider: SourceSpider, body: str, number: int = NUMBER, head: str = "") -> Any:
    """The only result of the spider on a page."""
    (found,) = spider.read_page(response(spider, body, number, head), number)
    return found


def unread(spider: SourceSpider, body: str) -> set[str]:
    """The fields of a page's item that could not be read; each is a field that the item has."""
    counted = spider.count_product(read(spider, body), response(spider, body), NUMBER)
    assert set(counted.unread) <= type(counted).model_fields.keys()
    return set(counted.unread)


def faults(spider: SourceSpider) -> dict[str, str]:
    """Reasons by field."""
    return {fault.field: fault.reason for fault in spider.coverage["products"].summary(0).faults}


TITLE = '<span class="product__title"><strong>초록상회</strong> 햇감자</span>'
SELLER = {
    "상호": "초록상회",
    "대표자": "가나다",
    "사업자등록번호": "123-45-67890",
    "통신판매업 신고번호": "제2020-1호",
    "고객센터": "1588-0000",
    "인증 항목": "HACCP",
    "인증일": "2024-01-01",
    "사업장 소재지": "나래시 1",
    "반품 주소": "나래시 2",
    "교환 주소": "나래시 3",
}
SELLER_FIELDS = (
    "seller_name",
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


def table(lines: dict[str, str], css: str = "row-table mb--40") -> str:
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in lines.items())
    return f'<table class="{css}"><tbody>{rows}</tbody></table>'


def review(nickname: str = "바다소년", written_on: str = "2025.07.01", stars: int = 4, text: str = "좋아요") -> str:
    filled = '<img src="/icon/s_star_fill.png">' * stars + '<img src="/icon/s_star_empty.png">' * (5 - stars)
    return (
        f'<li class="review_info_info_item"><div class="phone">{nickname}</div><div class="date">{written_on}</div>'
        f'<div class="stars">{filled}</div><ul class="list"><li><p>맛</p><span>맛있어요</span></li>'
        f'<li><p>가격</p><span>저렴해요</span></li></ul><div class="text">{text}</div></li>'
    )


def test_seller_cells_are_identified_by_their_labels(kok: SourceSpider) -> None:
    backwards = dict(reversed(SELLER.items()))
    product: KokProduct = read(kok, TITLE + table(backwards) + table({"원산지": "국내산"}))
    assert product.seller is not None
    assert product.seller.model_dump() == dict(zip(SELLER_FIELDS, SELLER.values(), strict=True))
    assert [detail.model_dump() for detail in product.details] == [{"name": "원산지", "value": "국내산"}]


def test_a_seller_cell_that_is_missing_moves_no_other(kok: SourceSpider) -> None:
    lines = {label: value for label, value in SELLER.items() if label not in ("대표자", "인증일")}
    seller = read(kok, TITLE + table(lines)).seller
    assert (seller.seller_name, seller.ceo_name, seller.registration_number) == ("초록상회", None, "123-45-67890")
    assert (seller.verified_item, seller.verified_on, seller.address) == ("HACCP", None, "나래시 1")


def test_cells_of_a_table_without_labels_count_by_their_order(kok: SourceSpider) -> None:
    rows = "".join(f"<tr><td>{value}</td></tr>" for value in SELLER.values())
    seller = read(kok, f'{TITLE}<table class="row-table mb--40">{rows}</table>').seller
    assert tuple(seller.model_dump().values()) == tuple(SELLER.values())


def test_a_table_of_details_is_not_the_seller(kok: SourceSpider) -> None:
    product = read(kok, TITLE + table({"품목": "감자", "원산지": "국내산", "소비자상담 전화번호": "1577-0000"}))
    assert product.seller is None
    assert len(product.details) == 3


def test_a_seller_label_that_is_not_known_is_counted(kok: SourceSpider) -> None:
    assert read(kok, TITLE + table(SELLER | {"무엇": "모름"})).seller is not None
    assert faults(kok)["seller"] == "unknown label '무엇'"


def test_nicknames_are_masked_in_items_reports_and_saved_pages(kok: SourceSpider, tmp_path: Path) -> None:
    body = TITLE + review("바다소년") + review("<b>J&amp;M</b>", written_on="언젠가") + review("010-1234-5678")
    scopes = (kok.pages,)
    (product,) = kok.parse_page(response(kok, body), scopes, product_id=NUMBER)
    assert isinstance(product, KokProduct)
    assert [each.nickname for each in product.reviews] == ["바**", "J**", "0**"]
    assert not list(kok.parse_page(response(kok, body[len(TITLE) :]), scopes, product_id=NUMBER))
    cut = response(kok, body)
    cut = cut.replace(body=cut.body[: cut.body.index("소년".encode()) + 6])
    assert not list(kok.parse_page(cut.replace(url=f"{cut.url}&cut"), scopes, product_id=NUMBER))
    busy = Failure(HttpError(response(kok, body).replace(url=f"{cut.url}&busy", status=500)))  # type: ignore[no-untyped-call]
    busy.request = kok.page_request(NUMBER).replace(url=f"{cut.url}&busy")  # type: ignore[attr-defined]
    kok.unreachable(busy, "products", scopes)
    saved = [gzip.decompress(path.read_bytes()).decode() for path in (tmp_path / "saved_pages").iterdir()]
    assert len(saved) == 3
    summary = kok.coverage["products"].summary(0).model_dump_json()
    for text in (*saved, summary, product.model_dump_json()):
        assert not [part for part in ("다소년", "&amp;M", "&M", "10-1234") if part in text]


def test_two_reviews_of_one_nickname_on_one_day_are_both_read(kok: SourceSpider) -> None:
    product = read(kok, TITLE + review(text="좋아요", stars=5) + review(text="보통이에요", stars=3))
    assert [(each.text, each.score) for each in product.reviews] == [("좋아요", 5), ("보통이에요", 3)]


def test_at_most_ten_reviews_are_read_with_their_opinions(kok: SourceSpider) -> None:
    reviews = read(kok, TITLE + review() * 12).reviews
    assert len(reviews) == 10
    assert (reviews[0].price_opinion, reviews[0].delivery_opinion, reviews[0].taste_opinion) == (
        "저렴해요",
        None,
        "맛있어요",
    )
    assert reviews[0].written_on.isoformat() == "2025-07-01"


def test_an_unreadable_part_of_a_review_costs_only_itself(kok: SourceSpider) -> None:
    (found,) = read(kok, TITLE + review(written_on="3일 전", stars=0)).reviews
    assert (found.written_on, found.score, found.text) == (None, None, "좋아요")
    assert "is not a date" in faults(kok)["reviews.written_on"]


def test_rating_shares_and_aspects(kok: SourceSpider) -> None:
    shares = "".join(f'<ul><li class="per"><div>{share}%</div></li></ul>' for share in (60, 20, 10, 6, 4))
    aspects = "".join(
        f'<ul><li class="info"><div>{opinion}</div></li><li class="per"><div>{share}%</div></li></ul>'
        for opinion, share in (("저렴해요", 70), ("빨라요", 80), ("맛있어요", 90))
    )
    product = read(kok, f'{TITLE}<div class="review_info_list">{shares}{aspects}</div>')
    assert product.rating_shares == (60, 20, 10, 6, 4)
    assert product.price_aspect.model_dump() == {"opinion": "저렴해요", "share": 70}
    assert product.taste_aspect.model_dump() == {"opinion": "맛있어요", "share": 90}


def test_ambiguous_shares_are_none_and_counted(kok: SourceSpider) -> None:
    shares = '<ul><li class="per"><div>60%</div></li></ul>' * 4
    product = read(kok, f'{TITLE}<div class="review_info_list">{shares}</div>')
    assert (product.rating_shares, product.price_aspect) == (None, None)
    assert "4 shares in div.review_info_list" in faults(kok)["rating_shares"]


def test_a_page_with_nothing_but_a_title_is_a_product(kok: SourceSpider) -> None:
    product = read(kok, TITLE)
    assert (product.kok_product_id, product.store_name, product.product_name) == (NUMBER, "초록상회", "햇감자")
    assert (product.list_price, product.review_score, product.seller, product.reviews) == (None, None, None, ())


def test_without_a_store_in_the_title_the_seller_is_the_store(kok: SourceSpider) -> None:
    product = read(kok, '<span class="product__title">초록상회 햇감자</span>' + table(SELLER))
    assert (product.store_name, product.product_name) == ("초록상회", "햇감자")
    assert "the seller's name is used instead" in faults(kok)["store_name"]


def test_an_unreadable_part_of_a_page_costs_only_itself(kok: SourceSpider) -> None:
    body = '<button id="review_show"><span>48</span></button><div class="card-info-del_wrap"><del>품절</del></div>'
    product = read(kok, TITLE + body)
    assert (product.review_score, product.list_price) == (None, None)
    assert {"review_score", "list_price"} <= faults(kok).keys()
    assert unread(kok, TITLE + body) == {"review_score", "list_price"}


def test_what_is_unread_of_a_page_are_fields_of_its_item(kok: SourceSpider) -> None:
    shares = "".join(f'<li class="per"><div>{share}%</div></li>' for share in (60, 20, 10))
    body = f'<div class="review_info_list"><ul>{shares}</ul></div>{review(written_on="어제")}'
    aspects = {"price_aspect", "delivery_aspect", "taste_aspect"}
    assert unread(kok, TITLE + body) == {"rating_shares", "reviews", *aspects}
    assert {"rating_shares", "aspects", "reviews.written_on"} <= faults(kok).keys()


def test_description_images_without_gifs_and_doubles_in_order(kok: SourceSpider) -> None:
    urls = (
        "//h.example/2.jpg",
        "http://d-img.picnique.co.kr/1.jpg",
        "https://h.example/m.GIF?x=1",
        "//h.example/2.jpg",
    )
    images = "".join(f'<img src="{url}">' for url in urls)
    product = read(kok, f'{TITLE}<div class="product_info_area">{images}</div>')
    assert product.images == ("https://h.example/2.jpg", "https://d-img.picnique.co.kr/1.jpg")


PRICE = '<div class="resultPrice"><div class="priceTotal">{}</div></div>'


@pytest.mark.parametrize(
    ("box", "price", "list_price", "kind"),
    [
        ('<span class="sellPrice"><strong>39,900</strong>원</span>', 39_900, None, "amount"),
        (
            '<i class="discount"><em>20</em></i><em>49,900</em><b class="sell"><em>X</em><strong>39,900</strong></b>',
            39_900,
            49_900,
            "amount",
        ),
        ('<em>49,900</em><span class="sell"><strong>39,900</strong></span>', 39_900, 49_900, "amount"),
        ('<em>39,900</em><span class="sell"><strong>39,900</strong></span>', 39_900, None, "amount"),
        ('<span class="sellPrice"><strong>상담 예약 상품</strong></span>', None, None, "consult"),
        ('<p class="counselPrd">상담 예약 상품</p>', None, None, "consult"),
        ('<span class="sellPrice"><strong>0</strong></span>', None, None, "unknown"),
        ("", None, None, "unknown"),
    ],
)
def test_hns_prices(hns: SourceSpider, box: str, price: int | None, list_price: int | None, kind: str) -> None:
    product: HomeShoppingProduct = read(hns, PRICE.format(box))
    assert (product.price, product.list_price, product.price_kind) == (price, list_price, kind)
    assert faults(hns) == {}


def test_a_list_price_below_the_price_is_left_out_and_counted(hns: SourceSpider) -> None:
    product = read(hns, PRICE.format('<em>29,900</em><span class="sell"><strong>39,900</strong></span>'))
    assert (product.price, product.list_price) == (39_900, None)
    assert faults(hns)["list_price"] == "the list price 29900 is below the price 39900"


def test_hns_images_in_every_form_once_and_in_order(hns: SourceSpider) -> None:
    description = """
        <img src="data:image/gif;base64,R0lG" data-src="//i.example/1.jpg"><img data-original="/d/2.jpg">
        <img srcset="//i.example/3.jpg?w=320 320w, //i.example/3.jpg 640w"><img src="//i.example/1.jpg">
        <div style="background: #fff url( 'http://image.hnsmall.com/4.png' ) no-repeat"><img data-echo="5.jpg"></div>
        <style>.banner { background-image: url("https://i.example/6.png"), url(data:image/png;base64,AA) }</style>
        <img src="https://i.example/1.jpg/dims/format/webp"><img src=" "><img>
    """
    product = read(hns, f'{PRICE.format("")}<div id="tab1Cont">{description}</div>')
    assert product.images == (
        "https://i.example/1.jpg",
        "https://www.hnsmall.com/d/2.jpg",
        "https://i.example/3.jpg",
        "https://image.hnsmall.com/4.png",
        "https://www.hnsmall.com/display/5.jpg",
        "https://i.example/6.png",
    )


def test_a_description_is_running_text_of_at_most_20_000_characters(hns: SourceSpider) -> None:
    text = "<p>국내<b>산</b> &amp; 유기농</p>\n\n<script>no()</script><ul><li>하나</li><li>둘</li></ul>"
    assert read(hns, f'<div id="tab1Cont">{text}</div>').description == "국내산 & 유기농 하나 둘"
    assert len(read(hns, f'<div id="tab1Cont">{"가나 " * 20_000}</div>').description) <= 20_000


def test_hns_details_with_and_without_heads(hns: SourceSpider) -> None:
    inner = "<table><tr><th>x</th><td>y</td></tr></table>"
    rows = f"<tr><th>원산지</th><td>국내산{inner}</td></tr><tr><td>무게</td><td>1kg</td></tr>"
    body = PRICE.format("") + f'<table class="itemTableRow v2">{rows}</table>' + table({"보관": "냉장"}, "itemInfoRow")
    details = [(detail.name, detail.value) for detail in read(hns, body).details]
    assert details == [("원산지", "국내산xy"), ("무게", "1kg"), ("보관", "냉장")]


@pytest.mark.parametrize(
    ("src", "requested"),
    [
        ("goods-describe.do?goods_code=7", "https://www.hnsmall.com/display/goods-describe.do?goods_code=7"),
        ("/describe/7", "https://www.hnsmall.com/describe/7"),
        ("//desc.example/7", "https://desc.example/7"),
    ],
)
def test_hns_description_in_a_frame_is_requested(hns: SourceSpider, src: str, requested: str) -> None:
    request = read(hns, f'{PRICE.format("")}<iframe id="goodsDescribeView" src="{src}"></iframe>')
    assert isinstance(request, Request)
    assert request.url == requested


@pytest.mark.parametrize("src", ["", "about:blank"])
def test_hns_frame_without_a_url_leaves_the_page_description(hns: SourceSpider, src: str) -> None:
    body = f'<div id="tab1Cont"><p>설명</p><iframe id="goodsDescribeView" src="{src}"></iframe></div>'
    assert read(hns, body).description == "설명"


def test_hns_page_that_is_not_of_a_product_is_broken(hns: SourceSpider) -> None:
    with pytest.raises(BrokenPage, match=r"neither \.priceTotal nor #tab1Cont"):
        read(hns, "<p>점검 중</p>")


@pytest.mark.parametrize("rule", [unavailable, truncated])
def test_hns_product_without_description_is_filed_and_stays_due(rule: Any, tmp_path: Path) -> None:
    framed, flat = 10_000_001, 10_000_004
    shows = [show(1, "14:00", "15:00", framed), show(1, "15:00", "16:00", flat)]
    with running_standin(catalog(shows=shows), NOON) as standin:
        settings = standin.settings.model_copy(update={"crawl_retries": 0})
        standin.faults.rules[:] = [rule("goods-describe.do")]
        first = crawl_into(tmp_path, "hnsmall", settings)
        standin.faults.rules.clear()
        standin.faults.seen.clear()
        second = crawl_into(tmp_path, "hnsmall", settings)
        requested = {
            number for number in (framed, flat) if standin.faults.requests_for(f"goods.do?goods_code={number}")
        }
    products = {item["source_product_id"]: item for item in first.items["products"]}
    undescribed = {number for number, item in products.items() if item["description"] is None}
    assert products.keys() == {framed, flat}
    assert undescribed == requested == {item["source_product_id"] for item in second.items["products"]}
    assert undescribed
    assert {number for number, item in products.items() if item["unread"]} == undescribed
    assert all(products[number]["details"] and products[number]["price"] for number in undescribed)
    assert not first.scope("products", products="due").complete
    assert all(item["description"] for item in second.items["products"])
    assert second.scope("products", products="due").complete


def test_hns_description_refused_by_the_budget_is_no_source_fault(tmp_path: Path) -> None:
    framed = 10_000_004
    with running_standin(catalog(shows=[show(1, "14:00", "15:00", framed)]), NOON) as standin:
        settings = standin.settings.model_copy(update={"crawl_daily_requests": 4})  # robots.txt, schedules, page
        some = crawl_into(tmp_path, "hnsmall", settings, days=1)
        assert standin.faults.requests_for("goods.do")
        assert not standin.faults.requests_for("goods-describe.do")
        rest = crawl_into(tmp_path, "hnsmall", standin.settings, days=1)
    assert some.items["products"] == []
    assert not some.scope("products", products="due").complete
    assert [fault.field for fault in some.reports["products"].faults] == ["page"]
    (product,) = rest.items["products"]
    assert product["description"]


def next_data(**values: object) -> str:
    data = {"props": {"pageProps": {"respData": {"itemPtc": {"slitmCd": str(NUMBER)} | values}}}}
    return f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(data)}</script>'


SHOWN = f"""
    <div class="brandshop-link"><a class="link" ga-custom-creative="새솔상회">바로가기</a></div>
    <div class="pdname">포기김치</div>
    <div class="pdpricebox"><p class="sale-before"><em>49,900</em>원</p><p class="sale-rate"><em>20</em>%</p>
    <p class="sale-price"><em>39,900</em>원</p></div>
    <table><tr><th>상품코드</th><td><em>{NUMBER}</em></td></tr><tr><th>배송비</th><td>무료</td></tr>
    <tr><th>반품/교환</th><td><span>7일 이내</span><span>왕복 6,000원</span></td></tr>
    <tr><th>배송비 안내</th><td>모름</td></tr></table>
    <div class="accordion-panel product-essential-info"><h4 class="subheadings">원산지</h4>
    <p class="abstract2">국내산</p><h4 class="subheadings">보관</h4></div>
"""


def test_hmall_reads_the_json_first(hmall: SourceSpider) -> None:
    data = next_data(slitmNm="갈치살", brndNm="물결수산", sellPrc=59_900, bbprc=45_900)
    product: HomeShoppingProduct = read(hmall, SHOWN + data)
    assert (product.product_name, product.store_name) == ("갈치살", "물결수산")
    assert (product.list_price, product.price) == (59_900, 45_900)
    assert faults(hmall) == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "no script#__NEXT_DATA__"),
        ('<script id="__NEXT_DATA__">{"props": {}}</script>', "the JSON lacks props.pageProps"),
        ('<script id="__NEXT_DATA__">{"props"</script>', "delimiter"),
        (next_data(slitmNm={"x": 1}), "Input should be a valid string"),
    ],
)
def test_hmall_without_json_a_list_price_is_never_the_price(hmall: SourceSpider, data: str, reason: str) -> None:
    product = read(hmall, SHOWN + data)
    assert (product.list_price, product.price) == (49_900, 39_900)
    assert (product.product_name, product.store_name) == ("포기김치", "새솔상회")
    (found,) = faults(hmall).values()
    assert reason in found
    assert unread(hmall, SHOWN + data) == set()


def test_hmall_without_json_what_the_page_lacks_is_unread(hmall: SourceSpider) -> None:
    name = '<div class="pdname">포기김치</div>'
    assert unread(hmall, name) == {"store_name", "price", "price_kind", "list_price", "discount_rate"}
    assert unread(hmall, f'{name}<div class="pdpricebox"><p class="sale-price"><em>9,900</em></p></div>') == {
        "store_name"
    }
    assert unread(hmall, next_data(slitmNm="갈치살")) == set()


def test_hmall_json_without_a_price_is_filled_up_from_the_page(hmall: SourceSpider) -> None:
    product = read(hmall, SHOWN + next_data(slitmNm="갈치살", sellPrc=0, bbprc=None))
    assert (product.product_name, product.list_price, product.price) == ("갈치살", 49_900, 39_900)


def test_hmall_equal_prices_are_one_price(hmall: SourceSpider) -> None:
    product = read(hmall, next_data(slitmNm="갈치살", sellPrc=45_900, bbprc=45_900))
    assert (product.list_price, product.price) == (None, 45_900)


def test_hmall_details_by_their_exact_labels(hmall: SourceSpider) -> None:
    details = [(detail.name, detail.value) for detail in read(hmall, SHOWN).details]
    assert details == [("배송비", "무료"), ("반품/교환", "7일 이내, 왕복 6,000원"), ("원산지", "국내산"), ("보관", "")]


@pytest.mark.parametrize("body", [SHOWN, next_data(slitmNm="갈치살")])
def test_hmall_page_of_another_product_is_broken(hmall: SourceSpider, body: str) -> None:
    with pytest.raises(BrokenPage, match=f"the page is of product {NUMBER}, asked for 7"):
        read(hmall, body, number=7)


def metas(**values: object) -> str:
    return "".join(f'<meta name="recobell" property="eg:{name}" content="{value}">' for name, value in values.items())


FACTS = "<h3 class='title'>배송 안내</h3><table><tr><th>배송비</th><td>무료</td></tr></table>"


def test_ns_reads_metas_and_the_table_after_its_heading(ns: SourceSpider) -> None:
    head = metas(itemId=NUMBER, itemName="왕갈비탕", brandName="가마터", originalPrice=69_900, salePrice=59_900)
    essential = (
        "<section><h3 class='title'>상품 필수 정보</h3></section><table><tr><th>원산지</th><td>국내산</td></tr></table>"
    )
    product: HomeShoppingProduct = read(ns, FACTS + essential, head=head)
    assert (product.product_name, product.store_name) == ("왕갈비탕", "가마터")
    assert (product.list_price, product.price, product.price_kind) == (69_900, 59_900, "amount")
    assert [detail.name for detail in product.details] == ["원산지"]


@pytest.mark.parametrize(
    ("box", "price", "list_price"),
    [
        (
            '<b class="dc-price">59,900원</b><s class="origin-price">69,900원</s><i class="dc-rate">14%</i>',
            59_900,
            69_900,
        ),
        ('<b class="current-price">59,900원</b>', 59_900, None),
        ("", None, None),
    ],
)
def test_ns_without_prices_in_its_metas(ns: SourceSpider, box: str, price: int | None, list_price: int | None) -> None:
    head = metas(itemName="왕갈비탕", originalPrice=0, salePrice=0)
    product = read(ns, f'<div class="price-wrap">{box}</div>', head=head)
    assert (product.price, product.list_price) == (price, list_price)


def test_ns_heading_of_a_section_is_not_the_name_of_the_product(ns: SourceSpider) -> None:
    head = '<meta property="og:title" content="왕갈비탕">'
    assert read(ns, FACTS, head=head).product_name == "왕갈비탕"
    with pytest.raises(BrokenPage, match="no recobell eg:itemName"):
        read(ns, FACTS)


def test_ns_all_images_of_the_description(ns: SourceSpider) -> None:
    images = '<div class="goods-detail-img-wrap"><img src="//i.example/1.jpg"><img src="//i.example/2.jpg"></div>'
    assert read(ns, f"<h1>왕갈비탕</h1>{images}").images == ("https://i.example/1.jpg", "https://i.example/2.jpg")


def test_ns_page_of_another_product_is_broken(ns: SourceSpider) -> None:
    with pytest.raises(BrokenPage, match="the page is of product 8, asked for 7"):
        read(ns, "", number=7, head=metas(itemId=8, itemName="왕갈비탕"))
    assert read(ns, "", number=7, head=metas(itemId="007", itemName="왕갈비탕")).source_product_id == 7


def test_a_product_page_takes_nothing_from_the_page_before_it(ns: SourceSpider) -> None:
    rich = "<h1>왕갈비탕</h1><h3>상품 필수 정보</h3><table><tr><th>원산지</th><td>국내산</td></tr></table>"
    images = '<div class="goods-detail-img-wrap"><img src="//i.example/1.jpg"></div>'
    first = read(ns, rich + images, number=7)
    second = read(ns, "<h1>깻잎</h1>", number=8)
    assert (len(first.details), len(first.images)) == (1, 1)
    assert (second.source_product_id, second.product_name, second.details, second.images) == (8, "깻잎", (), ())


@pytest.mark.parametrize("name", ["kok", "hns", "hmall", "ns"])
def test_product_urls_lead_back_to_their_requests(name: str, request: pytest.FixtureRequest) -> None:
    spider: SourceSpider = request.getfixturevalue(name)
    url = spider.product_url(NUMBER)
    assert spider.request_for(url).url == url
    assert str(NUMBER) in url or base64.b64encode(str(NUMBER).encode()).decode() in url
