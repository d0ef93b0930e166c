"""Product page of U+콕: its parts, each of which costs only itself if it cannot be read."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from html import escape, unescape
from typing import Any
from urllib.parse import urlsplit

from parsel import Selector
from scrapy.http import Response, TextResponse

from crawlers.items import Aspect, Detail, KokProduct, Review, Seller
from crawlers.parsing import (
    image_url,
    mask,
    parse_count,
    parse_price,
    parse_score,
    parse_share,
    parse_written_on,
    strip_store,
    text_or_none,
)
from crawlers.quality.contracts import BrokenPage, reading
from crawlers.quality.coverage import Coverage
from crawlers.spiders_base.product_page import (
    detail_rows,
    first_text,
    image_urls,
    parse_or_fault,
    report_remarks,
    stated_parameter,
)

MAX_REVIEWS = 10
ASPECTS = ("price_aspect", "delivery_aspect", "taste_aspect")

SELLER_LABELS = (
    ("return_address", ("반품",)),
    ("exchange_address", ("교환",)),
    ("phone", ("연락처", "전화", "고객센터")),
    ("ecommerce_registration", ("통신판매",)),
    ("registration_number", ("사업자등록", "사업자번호")),
    ("ceo_name", ("대표",)),
    ("verified_on", ("인증일", "인증날짜")),
    ("verified_item", ("인증",)),
    ("address", ("소재지", "주소")),
    ("seller_name", ("판매자", "판매처", "상호", "업체")),
)
"""Field of a cell of the seller table by words of its label; the first match counts."""

_NICKNAME = re.compile(r"""(<div\b[^>]*\bclass\s*=\s*["'][^"'>]*\bphone\b[^>]*>)(.*?)(?=</div|\Z)""", re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")


def encode_id(product_id: int) -> str:
    """Return the code of a product in the URL of its page."""
    return base64.b64encode(str(product_id).encode()).decode()


def decode_id(product_code: str) -> str:
    """Decode the product id from a product page's URL."""
    try:
        return base64.b64decode(product_code, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{product_code!r} is not the base64 of a product id") from error


def mask_nicknames(page: TextResponse) -> Response:
    """Return a product page with the nicknames of its reviews masked."""
    if not _NICKNAME.search(page.text):
        return page
    return page.replace(body=_NICKNAME.sub(_masked, page.text).encode(page.encoding, "replace"))


def read_product(page: TextResponse, product_id: int, observed_at: datetime, coverage: Coverage) -> KokProduct:
    """Read the page of a product. Raise ``BrokenPage`` if it is none, or of another product."""
    if not page.css("span.product__title"):
        raise BrokenPage("product_name", "no span.product__title")
    # Pages without og:url are read: none of the structures that we know of the page requires it.
    _check_product(page, product_id)
    title = page.css("span.product__title")
    review = page.css("button#review_show")
    score, count = first_text(review.css("span")), first_text(review.css("strong"))
    seller_table, seller = parse_or_fault(coverage, "seller", page, lambda: _seller(page, coverage)) or (None, None)
    store = first_text(title.xpath("./strong"))
    if store is None:
        coverage.fault("store_name", page, "no strong in span.product__title; the seller's name is used instead")
        store = (seller and seller.seller_name) or ""
    image = image_url(page.css("div.card_main-image img::attr(src)").get(), page.url)
    with reading("product"):
        return KokProduct(
            kok_product_id=product_id,
            store_name=store,
            product_name=strip_store(first_text(title) or "", store),
            list_price=_list_price(page, coverage),
            thumbnail_url=image or image_url(page.css("meta[property='og:image']::attr(content)").get(), page.url),
            review_score=parse_or_fault(coverage, "review_score", page, lambda: parse_score(score)),
            review_count=parse_or_fault(coverage, "review_count", page, lambda: parse_count(count)),
            rating_shares=parse_or_fault(coverage, "rating_shares", page, lambda: _rating_shares(page)),
            **parse_or_fault(coverage, "aspects", page, lambda: _aspects(page), unread=ASPECTS) or {},
            seller=seller,
            details=_details(page, seller_table),
            images=_images(page),
            reviews=_reviews(page, coverage),
            observed_at=observed_at,
            page_url=page.url,
        )


def _masked(nickname: re.Match[str]) -> str:
    return nickname[1] + escape(mask(unescape(_TAG.sub("", nickname[2]))) or "")


def _check_product(page: TextResponse, product_id: int) -> None:
    """Raise ``BrokenPage`` if the page says that it is of another product."""
    code = stated_parameter(page, "proCode")
    if code is not None and code not in (str(product_id), encode_id(product_id)):
        raise BrokenPage("kok_product_id", f"the page is of product {_named(code)}, asked for {product_id}")


def _named(code: str) -> str:
    try:
        return decode_id(code)
    except ValueError:
        return repr(code)


def _list_price(page: TextResponse, coverage: Coverage) -> int | None:
    struck_out = first_text(page.css("div.card-info-del_wrap del"))
    price = parse_price(struck_out)
    report_remarks(coverage, page, list_price=price)
    if struck_out and price.amount is None:
        coverage.mark_unread("list_price", page)
    return price.amount


def _shares(page: TextResponse) -> list[int | None]:
    """Return the percentages of the review section: those of 5 to 1 stars, then one for each aspect."""
    shares = [parse_share(first_text(share)) for share in page.css("div.review_info_list ul li.per > div")]
    if len(shares) not in (0, 5, 8):
        raise ValueError(f"{len(shares)} shares in div.review_info_list, not five of stars and three of aspects")
    return shares


def _rating_shares(page: TextResponse) -> tuple[int, int, int, int, int] | None:
    match [share for share in _shares(page)[:5] if share is not None]:
        case []:
            return None
        case [five, four, three, two, one]:
            return five, four, three, two, one
        case shares:
            raise ValueError(f"only {len(shares)} of the five shares of stars are numbers")


def _aspects(page: TextResponse) -> dict[str, Any]:
    opinions = [first_text(opinion) for opinion in page.css("div.review_info_list ul li.info > div")]
    shares = _shares(page)[5:]
    if len(opinions) != len(shares):
        raise ValueError(f"{len(opinions)} opinions in div.review_info_list, but {len(shares)} shares")
    found = zip(ASPECTS, opinions, shares, strict=False)
    return {name: Aspect(opinion=opinion, share=share) for name, opinion, share in found if opinion}


def _seller(page: TextResponse, coverage: Coverage) -> tuple[Selector | None, Seller | None]:
    """Return the seller table and its content.

    The ten cells of the first table are the seller's, in their order, unless each has a label that says otherwise. In
    a table with fewer cells, or elsewhere on the page, they are identified by their labels.
    """
    tables = page.css("table.row-table.mb--40")
    names = list(Seller.model_fields)
    for position, table in enumerate(tables):
        rows = detail_rows([table])
        cells = table.css("td")
        fields = [field for row in rows if (field := _seller_field(row.name))]
        by_labels = 2 * len(fields) > len(rows)
        by_order = position == 0 and len(cells) == len(names) and (by_labels or len(tables) > 1 or not rows)
        if by_order and set(fields) != set(names):
            return table, Seller(**{name: first_text(cell) for name, cell in zip(names, cells, strict=True)})
        if by_labels:
            return table, _labelled_seller(rows, page, coverage)
    return None, None


def _labelled_seller(rows: Sequence[Detail], page: TextResponse, coverage: Coverage) -> Seller:
    values: dict[str, str | None] = dict.fromkeys(Seller.model_fields)
    for row in rows:
        field = _seller_field(row.name)
        if field is None:
            coverage.fault("seller", page, f"unknown label {row.name!r}")
        elif values[field] is None:
            values[field] = text_or_none(row.value)
    return Seller(**values)


def _seller_field(label: str) -> str | None:
    label = "".join(label.split())
    return next((field for field, known in SELLER_LABELS if any(word in label for word in known)), None)


def _details(page: TextResponse, seller_table: Selector | None) -> tuple[Detail, ...]:
    seller = None if seller_table is None else seller_table.root
    return detail_rows(table for table in page.css("table.row-table.mb--40") if table.root is not seller)


def _images(page: TextResponse) -> tuple[str, ...]:
    urls = page.css("div.product_info_area img::attr(src)").getall()
    return tuple(url for url in image_urls(urls, page) if not urlsplit(url).path.lower().endswith(".gif"))


def _reviews(page: TextResponse, coverage: Coverage) -> tuple[Review, ...]:
    items = page.css("li.review_info_info_item")[:MAX_REVIEWS]
    reviews = (parse_or_fault(coverage, "reviews", page, partial(_review, item, page, coverage)) for item in items)
    return tuple(review for review in reviews if review is not None)


def _review(item: Selector, page: TextResponse, coverage: Coverage) -> Review:
    date_text = first_text(item.css("div.date"))
    opinions = {first_text(line.css("p")): first_text(line.css("span")) for line in item.css("ul.list > li")}
    return Review(
        nickname=mask(first_text(item.css("div.phone"))),
        written_on=parse_or_fault(coverage, "reviews.written_on", page, partial(parse_written_on, date_text)),
        score=len(item.css("div.stars img[src*='s_star_fill']")) or None,
        price_opinion=opinions.get("가격"),
        delivery_opinion=opinions.get("배송"),
        taste_opinion=opinions.get("맛"),
        text=first_text(item.css("div.text")),
    )
