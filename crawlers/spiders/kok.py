"""U+콕: category lists with prices, then the page of each product on them."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from html import escape, unescape
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from parsel import Selector
from scrapy import Request
from scrapy.http import Response, TextResponse

from crawlers.items import CATEGORIES, Aspect, Detail, KokPrice, KokProduct, Review, Seller
from crawlers.job import Job
from crawlers.parsing import (
    MAX_ID,
    image_url,
    mask,
    parse_count,
    parse_id,
    parse_price,
    parse_rate,
    parse_score,
    parse_share,
    parse_written_on,
    strip_store,
    text_or_none,
)
from crawlers.quality.contracts import BadRow, BrokenPage, Contract, FieldRule, reading, whole_html
from crawlers.quality.coverage import Coverage, Scope
from crawlers.spiders.kok_cards import CARD, Card, cards_of_products, product_ids, read_cards
from crawlers.spiders_base.contradictions import Contradictions
from crawlers.spiders_base.product_page import (
    detail_rows,
    first_text,
    image_urls,
    parse_or_fault,
    report_remarks,
    stated_parameter,
)
from crawlers.spiders_base.source_spider import SourceSpider

PAGE_SIZE = 20
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


class KokSpider(SourceSpider):
    """Reads category lists, and the pages of the products on them."""

    name = "kok"
    page_version = 2  # the seller's cells by their order
    ready: ClassVar = {"parse_list": CARD, "parse_page": "span.product__title"}
    contracts: ClassVar = {
        "prices": Contract(
            "kok_product_id",
            {
                "kok_product_id": FieldRule(fill=1, minimum=1, maximum=MAX_ID),
                "category": FieldRule(fill=1, one_of=frozenset(CATEGORIES)),
                "price": FieldRule(fill=0.9, minimum=10, maximum=100_000_000),
                "discount_rate": FieldRule(minimum=0, maximum=99),
            },
            min_items=1,
        ),
        "products": Contract(
            "kok_product_id",
            {
                "kok_product_id": FieldRule(fill=1, minimum=1, maximum=MAX_ID),
                "store_name": FieldRule(fill=1),
                "product_name": FieldRule(fill=1),
                "list_price": FieldRule(minimum=10, maximum=100_000_000),
                "thumbnail_url": FieldRule(fill=0.9),
                "review_score": FieldRule(minimum=0, maximum=5),
                "rating_shares": FieldRule(minimum=0, maximum=100),
                "reviews.score": FieldRule(minimum=1, maximum=5),
                "reviews.written_on": FieldRule(past=True),
                "seller.seller_name": FieldRule(fill=0.9),
                "details": FieldRule(fill=0.9),
                "images": FieldRule(fill=0.5),
            },
        ),
    }

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._first_pages: dict[str, list[int]] = {}  # ids on the first page of each list
        self._contradictions = Contradictions(KokPrice)

    def list_url(self, category: str, page: int) -> str:
        """Return the URL of a page of a category list."""
        query = f"code={category}&page={page}&size={PAGE_SIZE}&sort=recommend_asc&minPrice=0&maxPrice=9999999999"
        return f"{self.job.settings.kok_url}/m/event/category/uplus/page?{query}&version=202507311600&"

    def product_url(self, product_id: int) -> str:
        """Return the URL of a product page."""
        return f"{self.job.settings.kok_url}/m/product?proCode={_encoded(product_id)}"

    def listings(self) -> Iterator[Request]:
        for category in CATEGORIES:
            # A list that is cut short hides products, so it counts against the products too.
            scopes = (self.coverage["prices"].scope(category=category), self.pages)
            yield self._list_request(category, 1, scopes)

    def request_for(self, url: str) -> Request:
        address = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if "proCode" in query:
            return self.page_request(parse_id(_decoded(query["proCode"])))
        if query.get("code") not in CATEGORIES:
            raise ValueError("neither a product page nor a category list")
        scopes = (self.coverage["prices"].scope(category=query["code"]),)
        return self._list_request(query["code"], int(query.get("page", "1")), scopes)

    def mask_names(self, response: Response) -> Response:
        """Return the response with the nicknames of its reviews masked."""
        if not isinstance(response, TextResponse) or not _NICKNAME.search(response.text):
            return response
        return response.replace(body=_NICKNAME.sub(_masked, response.text).encode(response.encoding, "replace"))

    def parse_list(
        self, response: Response, scopes: Sequence[Scope], category: str, page: int, after_gap: bool
    ) -> Iterator[list[KokPrice] | Request]:
        """Yield the prices of a page of a category list, then the request for the next page.

        A list ends with a page that is not full. An empty page may also be broken: the list has ended only if the next
        page is empty as well.
        """
        with self.coverage["prices"].reading(response, scopes):
            html = whole_html(response).text
            found = read_cards(html)
            listed = len(found)
            scopes[0].empty |= page == 1 and not found
            cards = cards_of_products(found, html, first=page == 1)
            if listed > len(cards):
                scopes[0].dropped["card of no product"] += listed - len(cards)
            if page == 1:
                self._first_pages[category] = product_ids(found)
            if after_gap and cards:
                self._fail(response, scopes, "the page before this one was empty, though the list goes on")
            prices = [price for card in cards for price in self._read_card(card, response, scopes, category)]
            for price in prices:
                self.coverage["prices"].count_item(price, scopes[0], response)
                self.page_state.mark_listed(price.kok_product_id, price.listed_price)
            yield prices
            if cards and listed >= PAGE_SIZE and not prices:
                self._fail(response, scopes, "the page only repeats earlier products; the list does not end")
            elif (cards and listed >= PAGE_SIZE) or not (cards or after_gap):
                yield self._list_request(category, page + 1, scopes, after_gap=not cards)
            elif page > 1:
                yield self.build_request(
                    self.list_url(category, 1), self.parse_again, "prices", scopes[:1], category=category
                )

    def parse_again(self, response: Response, scopes: Sequence[Scope], category: str) -> None:
        """Compare the first page with what it was before the others were read: products move between pages."""
        with self.coverage["prices"].reading(response, scopes):
            found = product_ids(read_cards(whole_html(response).text))
            scopes[0].shifted = found != self._first_pages[category]

    def read_page(self, response: Response, product_id: int) -> Iterator[KokProduct]:
        page = whole_html(response)
        if not page.css("span.product__title"):
            raise BrokenPage("product_name", "no span.product__title")
        # Pages without og:url are read: none of the structures that we know of the page requires it.
        _check_product(page, product_id)
        yield _product(page, product_id, self.job.now, self.coverage["products"])

    def correct_items(self) -> None:
        self._contradictions.correct(self.job.items_file("prices"))

    def _list_request(self, category: str, page: int, scopes: Sequence[Scope], after_gap: bool = False) -> Request:
        return self.build_request(
            self.list_url(category, page),
            self.parse_list,
            "prices",
            scopes,
            category=category,
            page=page,
            after_gap=after_gap,
        )

    def _read_card(self, card: Card, response: Response, scopes: Sequence[Scope], category: str) -> Iterator[KokPrice]:
        coverage = self.coverage["prices"]
        try:
            price = self._price(card, response, category)
        except BadRow as error:
            coverage.bad_row(error, response, scopes)
            return
        if self.page_state.add_listing(category, price.kok_product_id, price.price_label):
            yield price
            return
        try:
            self._contradictions.check(price, self.page_state.price_in(category, price.kok_product_id))
            scopes[0].dropped["listed twice"] += 1
        except BadRow as error:
            coverage.bad_row(error, response, scopes)

    def _price(self, card: Card, response: Response, category: str) -> KokPrice:
        price = parse_price(card.price)
        report_remarks(self.coverage["prices"], response, price=price)
        rate = parse_or_fault(self.coverage["prices"], "discount_rate", response, partial(parse_rate, card.rate))
        unread = self.coverage["prices"].take_unread(response)
        with reading("card"):
            return KokPrice(
                kok_product_id=card.product_id(),
                category=category,
                price=price.amount,
                price_kind=price.kind,
                discount_rate=rate or 0,
                unread=tuple(sorted(unread)),
                observed_at=self.job.now,
                page_url=response.url,
            )

    def _fail(self, response: Response, scopes: Sequence[Scope], reason: str) -> None:
        self.coverage["prices"].fail(scopes, "cards", response.url, reason, response.body)


def _encoded(product_id: int) -> str:
    return base64.b64encode(str(product_id).encode()).decode()


def _decoded(product_code: str) -> str:
    """Decode the product id from a product page's URL."""
    try:
        return base64.b64decode(product_code, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{product_code!r} is not the base64 of a product id") from error


def _masked(nickname: re.Match[str]) -> str:
    return nickname[1] + escape(mask(unescape(_TAG.sub("", nickname[2]))) or "")


def _product(page: TextResponse, product_id: int, observed_at: datetime, coverage: Coverage) -> KokProduct:
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


def _check_product(page: TextResponse, product_id: int) -> None:
    """Raise ``BrokenPage`` if the page says that it is of another product."""
    code = stated_parameter(page, "proCode")
    if code is not None and code not in (str(product_id), _encoded(product_id)):
        raise BrokenPage("kok_product_id", f"the page is of product {_named(code)}, asked for {product_id}")


def _named(code: str) -> str:
    try:
        return _decoded(code)
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
