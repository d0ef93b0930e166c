"""U+콕: category lists with prices, then the page of each product on them."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from scrapy import Request
from scrapy.http import Response, TextResponse

from crawlers.items import CATEGORIES, KokPrice, KokProduct
from crawlers.job import Job
from crawlers.parsing import (
    MAX_ID,
    parse_id,
    parse_price,
    parse_rate,
)
from crawlers.quality.contracts import BadRow, Contract, FieldRule, reading, whole_html
from crawlers.quality.coverage import Scope
from crawlers.spiders.kok_cards import CARD, Card, cards_of_products, product_ids, read_cards
from crawlers.spiders.kok_product_page import decode_id, encode_id, mask_nicknames, read_product
from crawlers.spiders_base.contradictions import Contradictions
from crawlers.spiders_base.product_page import (
    parse_or_fault,
    report_remarks,
)
from crawlers.spiders_base.source_spider import SourceSpider

PAGE_SIZE = 20


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
        return f"{self.job.settings.kok_url}/m/product?proCode={encode_id(product_id)}"

    def listings(self) -> Iterator[Request]:
        for category in CATEGORIES:
            # A list that is cut short hides products, so it counts against the products too.
            scopes = (self.coverage["prices"].scope(category=category), self.pages)
            yield self._list_request(category, 1, scopes)

    def request_for(self, url: str) -> Request:
        address = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if "proCode" in query:
            return self.page_request(parse_id(decode_id(query["proCode"])))
        if query.get("code") not in CATEGORIES:
            raise ValueError("neither a product page nor a category list")
        scopes = (self.coverage["prices"].scope(category=query["code"]),)
        return self._list_request(query["code"], int(query.get("page", "1")), scopes)

    def mask_names(self, response: Response) -> Response:
        """Return the response with the nicknames of its reviews masked."""
        return mask_nicknames(response) if isinstance(response, TextResponse) else response

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
        yield read_product(whole_html(response), product_id, self.job.now, self.coverage["products"])

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
