"""Product pages of the stand-in, its images, and the pages that need a browser."""

import base64
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from typing import Any

import httpx
import pytest
from parsel import Selector, SelectorList
from PIL import Image

from crawlers.standin.catalog import KokRow, ShowRow
from crawlers.standin.details import KokDetails, hmall_details, hnsmall_details, kok_details, nsmall_details
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import NOON, catalog, kok, show


def first_kok(*wanted: Callable[[KokDetails], bool]) -> KokRow:
    """The first product with reviews whose details match."""
    rows = (kok(n, review_score=4.5, review_count=12) for n in count(1_000_001))
    return next(row for row in rows if all(test(kok_details(row)) for test in wanted))


REVIEWED = first_kok(
    lambda d: len(d.reviews) > 3 and d.reviews[0].written_on == d.reviews[1].written_on,
    lambda d: any(url.endswith(".gif") for url in d.images),
    lambda d: any(len(review.opinions) == 2 for review in d.reviews),
)
BACKWARDS = first_kok(lambda d: d.seller[-1].value == "초록상회" and len(d.seller) == 10)
SHORT = first_kok(lambda d: len(d.seller) == 8)
PLAIN = kok(1_000_011, list_price=None, review_score=None, review_count=None)


def first_show(channel: int, start: int, wanted: Callable[[ShowRow], bool], **values: Any) -> ShowRow:
    """The first product from an id on whose details match."""
    return next(row for row in (show(channel, "09:00", "10:00", n, **values) for n in count(start)) if wanted(row))


HNS_RATED = first_show(1, 10_000_001, lambda s: hnsmall_details(s).framed, dc_rate_text="9%")
HNS_BARE = first_show(1, 10_000_100, lambda s: not hnsmall_details(s).framed, dc_rate_text=None)
HNS_CONSULT = show(1, "09:00", "10:00", 10_000_500, price_text="상담 예약 상품", sale_price=None, dc_rate_text=None)
HMALL = {
    data: next(
        row
        for row in (show(2, "09:00", "10:00", 2_200_000_000 + n) for n in count())
        if hmall_details(row).data == data
    )
    for data in ("itemPtc", "without itemPtc", "none")
}
NS_METAS = first_show(4, 30_000_001, lambda s: nsmall_details(s).metas and nsmall_details(s).store is not None)
NS_NAMED = first_show(
    4, 30_000_101, lambda s: not nsmall_details(s).metas and nsmall_details(s).name_place != "og:title"
)
NS_TITLED = first_show(
    4, 30_000_201, lambda s: not nsmall_details(s).metas and nsmall_details(s).name_place == "og:title"
)
NS_UNKNOWN = first_show(4, 30_000_301, lambda s: nsmall_details(s).metas, sale_price=None, dc_price=None)
NS_FULL_PRICE = first_show(4, 30_000_401, lambda s: nsmall_details(s).metas, sale_price=9_900, dc_price=9_900)
SHOWS = [HNS_RATED, HNS_BARE, HNS_CONSULT, *HMALL.values(), NS_METAS, NS_NAMED, NS_TITLED, NS_UNKNOWN, NS_FULL_PRICE]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    shows = [
        row.model_copy(update={"start": f"{hour:02}:00", "end": f"{hour:02}:30"}) for hour, row in enumerate(SHOWS)
    ]
    products = [REVIEWED, BACKWARDS, SHORT, PLAIN]
    with running_standin(catalog(kok=products, shows=shows), NOON, scripted=("hnsmall",)) as running:
        yield running


@pytest.fixture(scope="module")
def http(standin: Standin) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.url) as client:
        yield client


def kok_page(http: httpx.Client, product: KokRow) -> Selector:
    code = base64.b64encode(str(product.product_id).encode()).decode()
    return Selector(http.get("/kok.uplus.co.kr/m/product", params={"proCode": code}).text)


def hns_page(http: httpx.Client, row: ShowRow) -> Selector:
    return Selector(http.get("/www.hnsmall.com/display/goods.do", params={"goods_code": row.product_id}).text)


def hmall_page(http: httpx.Client, row: ShowRow) -> Selector:
    return Selector(http.get("/www.hmall.com/md/pda/itemPtc", params={"slitmCd": row.product_id}).text)


def ns_page(http: httpx.Client, row: ShowRow) -> Selector:
    return Selector(http.get(f"/m.nsmall.com/goods/{row.product_id}").text)


def texts(page: Selector | SelectorList[Selector], css: str) -> list[str]:
    return [node.xpath("string()").get("").strip() for node in page.css(css)]


def test_kok_rating_shares_and_aspects_differ_only_in_place(http: httpx.Client) -> None:
    page = kok_page(http, REVIEWED)
    shares = [int(text.removesuffix("%")) for text in texts(page, "div.review_info_list ul li.per > div")]
    assert len(shares) == 8
    assert sum(shares[:5]) == 100
    opinions = texts(page, "div.review_info_list ul li.info > div")
    assert [bool(word in text) for word, text in zip(("가격", "배송", "맛"), opinions, strict=True)] == [True] * 3
    assert texts(page, "button#review_show span, button#review_show strong") == ["4.5", "(12)"]


def test_kok_reviews_may_share_nickname_and_day(http: httpx.Client) -> None:
    reviews = kok_page(http, REVIEWED).css("li.review_info_info_item")
    texts_of_reviews = [
        (
            *(node.css(f"div.{name}").xpath("string()").get() for name in ("phone", "date", "text")),
            len(node.css("div.stars img[src*='s_star_fill']")),
            *node.css("ul.list > li > p::text").getall(),
        )
        for node in reviews
    ]
    assert len(set(texts_of_reviews)) == len(texts_of_reviews) == len(kok_details(REVIEWED).reviews) <= 10
    assert texts_of_reviews[0][:2] == texts_of_reviews[1][:2]
    assert {len(review) for review in texts_of_reviews} >= {6, 7}  # one lacks the opinion on an aspect


def test_kok_pages_without_reviews_have_no_review_section(http: httpx.Client) -> None:
    page = kok_page(http, PLAIN)
    assert not page.css("div.review_info_list, li.review_info_info_item, div.card-info-del_wrap del")
    assert texts(page, "button#review_show") == [""]


def test_kok_images_have_three_forms_and_one_is_animated(http: httpx.Client) -> None:
    urls = kok_page(http, REVIEWED).css("div.product_info_area img::attr(src)").getall()
    assert urls == list(kok_details(REVIEWED).images)
    assert [url for url in urls if url.endswith(".gif")]


@pytest.mark.parametrize("product", [BACKWARDS, SHORT])
def test_kok_seller_cells_cannot_be_read_by_position(http: httpx.Client, product: KokRow) -> None:
    seller, details = kok_page(http, product).css("table.row-table.mb--40")
    cells = dict(zip(texts(seller, "th"), texts(seller, "td"), strict=True))
    assert cells.get("판매자", cells.get("상호")) == "초록상회"
    assert (next(iter(cells)) in ("판매자", "상호")) != (product is BACKWARDS)
    assert ("인증일" in cells) != (product is SHORT)
    assert texts(details, "th")[0] == "품목 또는 명칭"


def test_hns_prices_come_with_and_without_a_list_price(http: httpx.Client) -> None:
    rated = hns_page(http, HNS_RATED).css(".priceTotal")
    assert texts(rated, ".discount em") == ["9"]
    assert texts(rated, ".base em") == ["43,850"]  # 39,900 is 9 % less
    assert texts(rated, ".sellPrice strong, .sell strong") == ["39,900"]
    consult = hns_page(http, HNS_CONSULT).css(".priceTotal")
    assert (texts(consult, "em"), texts(consult, "strong")) == ([], ["상담 예약 상품"])


def test_hns_description_is_in_a_frame_or_in_the_page(http: httpx.Client) -> None:
    page = hns_page(http, HNS_RATED)
    assert not page.css("#tab1Cont img")
    src = page.css("iframe#goodsDescribeView::attr(src)").get("")
    frame = Selector(http.get(f"/www.hnsmall.com/display/{src}").text)
    bare = hns_page(http, HNS_BARE)
    assert not bare.css("iframe")
    for images, row in ((frame.css("img"), HNS_RATED), (bare.css("#tab1Cont img"), HNS_BARE)):
        used = {name for image in images for name in image.attrib}
        found = " ".join(value for image in images for value in image.attrib.values())
        wanted = [image for image in hnsmall_details(row).images if image.attribute != "background"]
        assert {image.attribute for image in wanted} <= used
        assert all(image.url in found for image in wanted)
        assert "data:image/gif" in found
        assert "/format/avif" in found
    assert http.get(f"/www.hnsmall.com/display/goods-describe.do?goods_code={HNS_BARE.product_id}").status_code == 404


def test_hmall_data_is_in_the_script_or_only_in_the_page(http: httpx.Client) -> None:
    pages = {data: hmall_page(http, row) for data, row in HMALL.items()}
    scripts = {data: page.css("script#__NEXT_DATA__::text") for data, page in pages.items()}
    assert len(scripts["none"]) == 0
    assert scripts["without itemPtc"].jmespath("props.pageProps.respData.itemPtc").getall() == []
    row = HMALL["itemPtc"]
    assert scripts["itemPtc"].jmespath(
        "props.pageProps.respData.itemPtc.[slitmCd, slitmNm, sellPrc, bbprc]"
    ).getall() == [
        str(row.product_id),
        row.product_name,
        39_900,
        35_900,
    ]
    for page in pages.values():
        assert texts(page, ".pdpricebox em") == ["11", "39,900", "35,900"]
        assert texts(page, "table th")[:2] == ["상품코드", "가격"]
        assert page.css(".speedycat-container img[data-src]")
        assert len(page.css("h4.subheadings + p.abstract2")) == len(page.css("h4.subheadings")) >= 4


def test_ns_pages_name_product_and_prices_in_several_places(http: httpx.Client) -> None:
    metas = ns_page(http, NS_METAS).css("meta[name='recobell']")
    assert {meta.attrib["property"]: meta.attrib["content"] for meta in metas} == {
        "eg:itemId": str(NS_METAS.product_id),
        "eg:itemName": NS_METAS.product_name,
        "eg:brandName": nsmall_details(NS_METAS).store,
        "eg:originalPrice": "39900",
        "eg:salePrice": "35900",
    }
    names = "h1, .goods-title, .goods-name, .prd-name, .product-title"
    assert texts(ns_page(http, NS_NAMED), names) == [NS_NAMED.product_name]
    titled = ns_page(http, NS_TITLED)
    assert texts(titled, names) == []
    assert titled.css("meta[property='og:title']").attrib["content"] == NS_TITLED.product_name
    assert texts(titled, ".price-wrap span") == ["10%", "35,900원", "39,900원"]
    assert texts(ns_page(http, NS_FULL_PRICE), ".price-wrap span") == ["9,900원"]
    assert texts(ns_page(http, NS_UNKNOWN), ".price-wrap span") == []
    assert texts(titled, "h3.title") == ["배송 안내", "상품 필수 정보"]


@pytest.mark.parametrize(
    "path",
    [
        "/www.hnsmall.com/display/goods.do?goods_code=99999999",
        f"/www.hnsmall.com/display/goods.do?goods_code={NS_METAS.product_id}",
        "/www.hnsmall.com/display/goods-describe.do?goods_code=99999999",
        "/www.hmall.com/md/pda/itemPtc?slitmCd=none",
        "/m.nsmall.com/goods/1",
    ],
)
def test_unknown_products_have_no_page(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_images_are_valid_and_some_share_their_bytes(http: httpx.Client) -> None:
    contents = set()
    for number in range(60):
        answer = http.get(f"/image/d-img.picnique.co.kr/product/{number}.{('jpg', 'png')[number % 2]}")
        assert answer.headers["Content-Type"] == ("image/jpeg", "image/png")[number % 2]
        picture = Image.open(BytesIO(answer.content))
        assert (picture.format, picture.size) == (("JPEG", "PNG")[number % 2], (320, 240))
        contents.add(answer.content)
    assert 30 < len(contents) < 60
    etag = answer.headers["ETag"]
    assert http.get(answer.request.url, headers={"If-None-Match": etag}).status_code == 304


def test_a_scripted_listing_has_rows_only_in_a_browser(http: httpx.Client) -> None:
    answer = http.get("/www.hnsmall.com/display/tvschedule-list?broadDay=20250806")
    page = Selector(answer.text)
    assert not page.css("#scheduleWrap, li.item")
    assert "scheduleWrap" in page.css("script::text").get("")
    assert hns_page(http, HNS_RATED).css(".priceTotal")
