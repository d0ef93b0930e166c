"""홈앤쇼핑: one HTML page a day, and product pages whose description is in a frame."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, urljoin, urlsplit

from parsel import Selector, SelectorList
from scrapy import Request
from scrapy.http import Response, TextResponse
from twisted.python.failure import Failure

from crawlers.items import HomeShoppingProduct, Product
from crawlers.parsing import (
    Price,
    image_url,
    kst_instant,
    parse_day,
    parse_id,
    parse_price,
    show_instants,
    split_stamp,
    split_times,
    text_or_none,
)
from crawlers.quality.contracts import BadRow, BrokenPage, FieldRule, reading, whole_html
from crawlers.quality.coverage import Scope
from crawlers.spiders_base.product_page import (
    described_images,
    detail_rows,
    fact_rows,
    first_text,
    image_urls,
    plain_text,
    prices,
    require_product,
    stated_parameter,
)
from crawlers.spiders_base.schedule_spider import PAGES, SHOWS, Row, ScheduleSpider
from crawlers.spiders_base.source_spider import BudgetSpent

ON_AIR = "지금방송중"
TABLES = "table.itemTableRow, table.itemInfoRow"
_QUOTED = re.compile(r"'([^']*)'")


class HnsmallSpider(ScheduleSpider):
    """Channel 1. The page hides the start of the show on air, but states its end.

    The description of a product is requested after its page. If it fails, the item is filed without it, and the page
    stays due.
    """

    name = "hnsmall"
    page_version = 2  # the discount rate, and facts in tables of the description
    ready: ClassVar = {"parse_schedule": "div#scheduleWrap li.item", "parse_page": ".priceTotal"}
    channels: ClassVar = {"hnsmall": 1}
    contracts: ClassVar = {
        "schedule": SHOWS
        | {"channel_id": FieldRule(fill=1, one_of=frozenset(channels.values())), "title": FieldRule(fill=0.9)},
        # The page names neither product nor store; a frame has the description.
        "products": PAGES
        | {
            "description": FieldRule(fill=0.8, own_page=True),
            "details": FieldRule(fill=0.9, own_page=True),
            "images": FieldRule(fill=0.8, own_page=True),
        },
    }

    def page_url(self, channel: str, day: date) -> str:
        path = "/display/tvschedule-list?categoryCode=60000059&areaCode=8005369"
        return f"{self.job.settings.hnsmall_url}{path}&broadDay={day:%Y%m%d}"

    def product_url(self, product_id: int) -> str:
        return f"{self.job.settings.hnsmall_url}/display/goods.do?goods_code={product_id}"

    def request_for(self, url: str) -> Request:
        query = parse_qs(urlsplit(url).query)
        if "goods_code" in query:
            return self.page_request(parse_id(query["goods_code"][0]))
        return self.day_request("hnsmall", parse_day(query["broadDay"][0]))

    def read_page(self, response: Response, product_id: int) -> Iterator[HomeShoppingProduct | Request]:
        page = whole_html(response)
        description = page.css("#tab1Cont")
        if not page.css(".priceTotal") and not description:
            raise BrokenPage("page", "neither .priceTotal nor #tab1Cont")
        require_product(product_id, stated_parameter(page, "goods_code"))
        product = self._product(page, product_id)
        frame_url = self._frame_url(page)
        if frame_url is None:
            yield _described(product, description, page)
        else:
            request = self.part_request(frame_url, self.parse_description, product=product, page=page)
            yield request.replace(errback=partial(self.without_description, product=product, page=page))

    def parse_description(
        self, response: Response, scopes: Sequence[Scope], product: HomeShoppingProduct, page: Response
    ) -> Iterator[Product]:
        """Yield the product with its description."""
        with self.coverage["products"].reading(response, scopes):
            try:
                frame = whole_html(response)
            except BrokenPage:
                yield self._undescribed(product, page)
                raise
            try:
                described = _described(product, frame.css("body"), frame)
            except BadRow as error:
                self.coverage["products"].bad_row(error, response, scopes)
            else:
                yield self.count_product(described, page, product.source_product_id)

    def without_description(
        self, failure: Failure, product: HomeShoppingProduct, page: Response
    ) -> Iterator[HomeShoppingProduct]:
        """Yield the product without description, unless our own budget refused the request: no fault of the source."""
        self.unreachable(failure, "products", (self.pages,))
        if not isinstance(failure.value, BudgetSpent):
            yield self._undescribed(product, page)

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        page = whole_html(response)
        root = page.css("div#scheduleWrap")
        if not root:
            raise BrokenPage("page", "no div#scheduleWrap")
        shown = root.attrib.get("date")
        if shown != f"{day:%Y%m%d}":
            raise BrokenPage("page", f"the page is of {shown}, asked for {day:%Y%m%d}")
        on_air_end = page.css("#onAirTime::attr(bdetimesecond)").get()  # the HTML parser lower-cases attribute names
        for item in root.css("li.item"):
            show = partial(_show, item, day, on_air_end)
            subs = item.css(".sub-prd ul li")
            item.css(".sub-prd").drop()  # the rest belongs to the main product alone
            yield partial(_row, "main", item, "a.goods-info", ".goods-thumb img", page.url, show)
            for sub in subs:
                yield partial(_row, "sub", sub, "a[onclick]", "img", page.url, show)

    def _product(self, page: TextResponse, product_id: int) -> HomeShoppingProduct:
        """Read the product page, which names neither the product nor its store."""
        box = page.css(".resultPrice .priceTotal") or page.css(".priceTotal")
        with reading("product"):
            return HomeShoppingProduct(
                source_product_id=product_id,
                product_name=None,
                store_name=None,
                **prices(*_prices(box[:1]), first_text(box[:1].css(".discount")), self.coverage["products"], page),
                details=detail_rows(page.css(TABLES)),
                observed_at=self.job.now,
                page_url=page.url,
            )

    def _undescribed(self, product: HomeShoppingProduct, page: Response) -> HomeShoppingProduct:
        """Count a product whose description could not be read; its page does not count as read."""
        unread = sorted(self.coverage["products"].take_unread(page))
        product = product.model_copy(update={"unread": ("description", "images", "details", *unread)})
        self.coverage["products"].count_item(product, self.pages, page)
        return product

    def _frame_url(self, page: TextResponse) -> str | None:
        """Return the URL of the description if it is in a frame."""
        src = page.css("iframe#goodsDescribeView::attr(src)").get("").strip()
        if src.startswith("/") and not src.startswith("//"):
            return f"{self.job.settings.hnsmall_url}{src}"
        url = urljoin(page.url, src)
        return url if src and urlsplit(url).scheme in ("http", "https") else None


def _show(item: Selector, day: date, on_air_end: str | None) -> dict[str, Any]:
    """Read times and title of a show, which its sub products share."""
    times = item.css(".live-time span::text").get("").strip()
    title = "".join(item.css(".live-time p.time ::text").getall()).replace(times, "", 1)
    with reading("starts_at"):
        if times != ON_AIR:
            starts_at, ends_at = show_instants(day, *split_times(times))
        elif on_air_end is None:
            raise BadRow("ends_at", "the show is on air, but the page has no #onAirTime")
        else:
            starts_at, ends_at = None, kst_instant(*split_stamp(on_air_end))
    return {"starts_at": starts_at, "ends_at": ends_at, "title": text_or_none(title)}


def _row(slot: str, node: Selector, link: str, image: str, page: str, show: partial[dict[str, Any]]) -> dict[str, Any]:
    quoted = _QUOTED.search(node.css(f"{link}::attr(onclick)").get(""))
    with reading("source_product_id"):
        number = parse_id(quoted[1] if quoted else None)
    price = node.css(".price strong::text").get() or node.css(".price p.counselPrd::text").get()
    return show() | {
        "slot": slot,
        "source_product_id": number,
        "product_name": text_or_none("".join(node.css(".tit ::text").getall())),
        "price": parse_price(price),
        "discount_rate": first_text(node.css(".rate span")),
        "thumbnail_url": image_url(node.css(f"{image}::attr(src)").get(), page),
    }


def _prices(box: SelectorList[Selector]) -> tuple[Price, Price]:
    """Return list price and price."""
    price = first_text(box.css(".sellPrice strong, .sell strong")) or first_text(box.css("p.counselPrd"))
    others = box.xpath(f".//em[not(ancestor::*[{_class('sellPrice')} or {_class('sell')} or {_class('discount')}])]")
    return parse_price(first_text(others)), parse_price(price)


def _class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


def _described(product: HomeShoppingProduct, body: SelectorList[Selector], page: Response) -> HomeShoppingProduct:
    """Return the product with the content of ``body`` on ``page`` as its description."""
    with reading("description"):
        details = dict.fromkeys((*product.details, *fact_rows(body)))
        images = image_urls(described_images(body), page)
        values = {"details": tuple(details), "images": images, "description": plain_text(body)}
        return HomeShoppingProduct.model_validate(product.model_copy(update=values).__dict__)
