"""U+콕: category lists with prices, then the page of each product on them."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from parsel import Selector, SelectorList
from scrapy import Request
from scrapy.http import Response, TextResponse

from crawlers.contracts import BadRow, BrokenPage, reading, whole_html
from crawlers.coverage import Scope
from crawlers.fields import (
    https,
    parse_count,
    parse_id,
    parse_price,
    parse_rate,
    parse_score,
    strip_store,
    text_or_none,
)
from crawlers.items import KokPrice, KokProduct
from crawlers.job import Job
from crawlers.source import SourceSpider

CATEGORIES = tuple(f"16{number}" for number in (11, *range(13, 25)))
PAGE_SIZE = 20
CARD = "div.card.product-section-ul-li"


class KokSpider(SourceSpider):
    """Category lists, and the pages of the products on them."""

    name = "kok"
    datasets = ("prices", "products")

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._listed: dict[str, set[int]] = {category: set() for category in CATEGORIES}

    def list_url(self, category: str, page: int) -> str:
        """Address of a page of a category list."""
        query = f"code={category}&page={page}&size={PAGE_SIZE}&sort=recommend_asc&minPrice=0&maxPrice=9999999999"
        return f"{self.job.settings.kok_url}/m/event/category/uplus/page?{query}&version=202507311600&"

    def product_url(self, product_id: int) -> str:
        """Address of a product page."""
        return f"{self.job.settings.kok_url}/m/product?proCode={base64.b64encode(str(product_id).encode()).decode()}"

    def listings(self) -> Iterator[Request]:
        for category in CATEGORIES:
            # A list that is cut short hides products, so it counts against the products too.
            scopes = (self.coverage["prices"].scope(category=category), self.pages)
            yield self._list_request(category, 1, scopes)

    def parse_list(
        self, response: Response, scopes: Sequence[Scope], category: str, page: int, after_gap: bool
    ) -> Iterator[KokPrice | Request]:
        """Read a page of a category list; go on to the next one.

        A list ends with a page that is not full. An empty page may also be a broken one: the list has ended only if the
        page after it is empty as well.
        """
        with self.coverage["prices"].reading(response, scopes):
            cards = _cards(response, first=page == 1)
            if after_gap and cards:
                self._fail(response, scopes, "the page before this one was empty, though the list goes on")
            before = len(self._listed[category])
            for card in cards:
                yield from self._read_card(card, response, scopes, category)
            if len(cards) == PAGE_SIZE and len(self._listed[category]) == before:
                self._fail(response, scopes, "the page only repeats earlier products; the list does not end")
            elif len(cards) == PAGE_SIZE or not (cards or after_gap):
                yield self._list_request(category, page + 1, scopes, after_gap=not cards)

    def read_page(self, response: Response, product_id: int) -> Iterator[KokProduct]:
        page = whole_html(response)
        if not page.css("span.product__title"):
            raise BrokenPage("product_name", "no span.product__title")
        yield _product(page, product_id, {"observed_at": self.job.now, "page_url": response.url})

    def _list_request(self, category: str, page: int, scopes: Sequence[Scope], after_gap: bool = False) -> Request:
        return self.ask(
            self.list_url(category, page),
            self.parse_list,
            "prices",
            scopes,
            category=category,
            page=page,
            after_gap=after_gap,
        )

    def _read_card(
        self, card: Selector, response: Response, scopes: Sequence[Scope], category: str
    ) -> Iterator[KokPrice]:
        coverage = self.coverage["prices"]
        try:
            price = self._price(card, response, category)
        except BadRow as error:
            coverage.bad_row(error, response, scopes)
            return
        number = price.kok_product_id
        if number in self._listed[category]:
            scopes[0].dropped["listed twice"] += 1
            return
        self._listed[category].add(number)
        coverage.found(price, scopes[0])
        self.memory.see(number, f"{price.price_kind} {price.price} {price.discount_rate}")
        yield price

    def _price(self, card: Selector, response: Response, category: str) -> KokPrice:
        price = parse_price(card.css(".card-info_price strong::text").get())
        try:
            rate = parse_rate(card.css(".card-info_rate::text").get())
        except ValueError as error:
            self.coverage["prices"].fault("discount_rate", response.url, str(error))
            rate = 0
        with reading("card"):
            return KokPrice(
                kok_product_id=_card_id(card),
                category=category,
                price=price.amount,
                price_kind=price.kind,
                discount_rate=rate,
                observed_at=self.job.now,
                page_url=response.url,
            )

    def _fail(self, response: Response, scopes: Sequence[Scope], reason: str) -> None:
        self.coverage["prices"].fail(scopes, "cards", response.url, reason, response.body)


def _cards(response: Response, first: bool) -> SelectorList[Selector]:
    """The cards of a list page; none on the first page, or ids without cards, mean that the page is broken."""
    page = whole_html(response)
    cards = page.css(CARD)
    ids = page.css("[data-product-id]")
    if not cards and (first or ids):
        raise BrokenPage("cards", f"no {CARD} on the page, but {len(ids)} product ids")
    return cards


def _card_id(card: Selector) -> int:
    """The id that belongs to a card: on it, inside it, or on a wrapper around it alone."""
    with reading("kok_product_id"):
        own = card.attrib.get("data-product-id")
        if own is not None:
            return parse_id(own)
        inside = set(card.css("[data-product-id]::attr(data-product-id)").getall())
        if inside:
            if len(inside) > 1:
                raise ValueError(f"the card holds {len(inside)} product ids")
            return parse_id(inside.pop())
        wrapper = card.xpath("ancestor::*[@data-product-id][1]")
        if len(wrapper.css(CARD)) == 1:
            return parse_id(wrapper.attrib["data-product-id"])
        raise ValueError("the card has no product id")


def _product(page: TextResponse, product_id: int, origin: dict[str, Any]) -> KokProduct:
    title = page.css("span.product__title")
    store = text_or_none("".join(title.xpath("./strong//text()").getall())) or ""
    name = text_or_none("".join(title.xpath(".//text()").getall())) or ""
    image = https(page.css("div.card_main-image img::attr(src)").get())
    with reading("product"):
        return KokProduct(
            kok_product_id=product_id,
            store_name=store,
            product_name=strip_store(name, store),
            list_price=parse_price(page.css("div.card-info-del_wrap del::text").get()).amount,
            thumbnail_url=image or https(page.css("meta[property='og:image']::attr(content)").get()),
            review_score=parse_score(page.css("button#review_show span::text").get()),
            review_count=parse_count(page.css("button#review_show strong::text").get()),
            **origin,
        )
