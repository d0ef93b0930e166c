"""NS홈쇼핑: JSON schedule and JSON prices a day for each of two channels, and HTML product pages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field
from scrapy import Request
from scrapy.http import Response, TextResponse
from twisted.python.failure import Failure

from crawlers.items import HomeShoppingProduct
from crawlers.job import Job
from crawlers.parsing import (
    UNKNOWN,
    Price,
    image_url,
    kst_instant,
    parse_day,
    parse_id,
    parse_price,
    split_stamp,
    text_or_none,
)
from crawlers.quality.contracts import BadRow, BrokenPage, FieldRule, json_rows, reading, whole_html
from crawlers.quality.coverage import Scope
from crawlers.spiders_base.product_page import detail_rows, first_text, image_urls, plain_text, prices, require_product
from crawlers.spiders_base.schedule_spider import PAGES, SHOWS, Row, ScheduleSpider

PATH = "/md/api/v1/display/media/schedule"
CODES = {"tv": "TV", "shopplus": "CTCOM"}
IMAGES = "https://product-image.prod-nsmall.com/new"
NAMES = ("h1", ".goods-title", ".goods-name", ".prd-name", ".product-title")
UNREAD_PRICES = ("price", "price_kind", "list_price", "discount_rate")
MORE_NAMES = (".tit", ".title:not(h3)")  # less reliable than og:title; h3 are headings of sections


class Prices(NamedTuple):
    """List price, price and discount rate of a product."""

    list_price: Price
    price: Price
    rate: str | float | None = None


class BroadcastTimes(BaseModel):
    """``YYYY-MM-DD HH:MM:SS`` in Korea."""

    start: str = Field(alias="formStartDttm")
    end: str = Field(alias="formEndDttm")


class ScheduledProduct(BaseModel):
    """Product part of a schedule row."""

    product_name: str = Field(alias="productNm")
    times: BroadcastTimes = Field(alias="brdctInfo")


class OrganRow(BaseModel):
    """A product of a show in the schedule."""

    product_id: str | int = Field(alias="goodsCd")
    title: str | None = Field(alias="pgmNm", default=None)
    image: str | None = Field(alias="imageUrl", default=None)
    product: ScheduledProduct = Field(alias="goods")


class PriceRow(BaseModel):
    """A row of the price response."""

    product_id: str | int = Field(alias="goodsCd")
    list_price: str | int | None = Field(alias="salePrice", default=None)
    price: str | int | None = Field(alias="dcPrice", default=None)
    rate: str | float | None = Field(alias="dcRate", default=None)


class NsmallSpider(ScheduleSpider):
    """Channels 4 and 5. Reads the prices of a day, then its schedule, and joins them by product.

    A day whose prices cannot be read is filed with its prices marked as unread, and is incomplete.
    """

    name = "nsmall"
    page_version = 2  # the discount rate
    ready: ClassVar = {"parse_page": "meta[name=recobell], .price-wrap"}
    channels: ClassVar = {"tv": 4, "shopplus": 5}
    contracts: ClassVar = {
        "schedule": SHOWS
        | {
            "channel_id": FieldRule(fill=1, one_of=frozenset(channels.values())),
            # A product may have no price row.
            "price": FieldRule(fill=0.8, minimum=10, maximum=100_000_000, own_page=True),
        },
        "products": PAGES | {"product_name": FieldRule(fill=0.95), "store_name": FieldRule(fill=0.5)},
    }

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._prices: dict[tuple[str, date], dict[int, Prices]] = {}
        self._priced_in_full: set[tuple[str, date]] = set()  # days of whose prices every row was read

    def page_url(self, channel: str, day: date) -> str:
        query = f"formDate={day:%Y%m%d}&cnnlCd={CODES[channel]}"
        return f"{self.job.settings.nsmall_api_url}{PATH}/{channel}/{day:%Y%m%d}?{query}"

    def product_url(self, product_id: int) -> str:
        return f"{self.job.settings.nsmall_url}/goods/{product_id}"

    def request_for(self, url: str) -> Request:
        address = urlsplit(url)
        *_, folder, last = address.path.split("/")
        if folder == "goods":
            return self.page_request(parse_id(last))
        query = parse_qs(address.query)
        channel = query["CnnlCd"][0] if last == "brdctPriceInfo" else folder
        if channel not in self.channels:
            raise ValueError(f"unknown channel {channel!r}")
        return self.day_request(channel, parse_day(query["formDate"][0]))

    def read_page(self, response: Response, product_id: int) -> Iterator[HomeShoppingProduct]:
        page = whole_html(response)
        name = _meta(page, "itemName") or _visible_name(page)
        if name is None:
            raise BrokenPage("product_name", "no recobell eg:itemName, no heading and no og:title")
        require_product(product_id, _meta(page, "itemId"))
        description = page.css(".goods-detail-img-wrap")
        with reading("product"):
            yield HomeShoppingProduct(
                source_product_id=product_id,
                product_name=name,
                store_name=_meta(page, "brandName"),
                **prices(*_page_prices(page), self.coverage["products"], page),
                details=detail_rows(page.xpath("//h3[contains(., '상품 필수 정보')]/following::table[1]")),
                images=image_urls(description.css("img::attr(src)").getall(), page),
                description=plain_text(description),
                observed_at=self.job.now,
                page_url=page.url,
            )

    def prices_url(self, channel: str, day: date) -> str:
        """Return the URL of the prices of a day's schedule."""
        query = f"formDate={day:%Y%m%d}&CnnlCd={channel}"
        return f"{self.job.settings.nsmall_api_url}{PATH}/brdctPriceInfo?{query}"

    def first_request(self, channel: str, day: date, scopes: Sequence[Scope]) -> Request:
        request = self.build_request(
            self.prices_url(channel, day), self.parse_prices, "schedule", scopes, channel=channel, day=day
        )
        return request.replace(errback=partial(self.without_prices, scopes=scopes, channel=channel, day=day))

    def parse_prices(self, response: Response, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Request]:
        """Read the prices of a day, then request its schedule."""
        with self.coverage["schedule"].reading(response, scopes):
            self._prices[channel, day], unreadable = self._read_prices(response)
            if not unreadable:
                self._priced_in_full.add((channel, day))
        yield super().first_request(channel, day, scopes)

    def without_prices(self, failure: Failure, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Request]:
        """Request the schedule of a day whose prices could not be read."""
        self.unreachable(failure, "schedule", scopes)
        yield super().first_request(channel, day, scopes)

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        found = self._prices.get((channel, day), {})
        unread = UNREAD_PRICES if (channel, day) not in self._priced_in_full else ()
        for raw in json_rows(response, "data", "resultData", "totalOrgan"):
            yield partial(_row, "main", raw, found, unread, response.url)
            for sub in (raw.get("relTotalOrgan") or []) if isinstance(raw, dict) else []:
                yield partial(_row, "sub", sub, found, unread, response.url)

    def _read_prices(self, response: Response) -> tuple[dict[int, Prices], int]:
        """Return the prices by product, and how many rows could not be read.

        A product with two prices has none: one of them is wrong.
        """
        found: dict[int, Prices] = {}
        twice: set[int] = set()
        unreadable = 0
        for raw in json_rows(response, "data", "resultData"):
            try:
                with reading("prices"):
                    row = PriceRow.model_validate(raw)
                    number, price = parse_id(row.product_id), parse_price(row.price)
                    known = found.setdefault(number, Prices(parse_price(row.list_price), price, row.rate)).price
                    if known != price:
                        twice.add(number)
                        raise ValueError(f"product {number} is listed twice, for {known.amount} and {price.amount} won")
            except BadRow as error:
                self.coverage["schedule"].fault(error.field, response, str(error))
                unreadable += 1
        return {number: prices for number, prices in found.items() if number not in twice}, unreadable


def _meta(page: TextResponse, name: str) -> str | None:
    return text_or_none(page.xpath("//meta[@name='recobell'][@property=$key]/@content", key=f"eg:{name}").get())


def _visible_name(page: TextResponse) -> str | None:
    """Return the product name from the visible page, the most reliable place first."""
    names = [first_text(page.css(place)) for place in NAMES]
    names.append(text_or_none(page.css("meta[property='og:title']::attr(content)").get()))
    names += [first_text(page.css(place)) for place in MORE_NAMES]
    return next(filter(None, names), None)


def _page_prices(page: TextResponse) -> Prices:
    price = parse_price(_meta(page, "salePrice"))
    box = page.css(".price-wrap")
    rate = first_text(box.css(".dc-rate"))
    if price.amount:
        return Prices(parse_price(_meta(page, "originalPrice")), price, rate)
    paid = first_text(box.css(".dc-price")) or first_text(box.css(".current-price"))
    return Prices(parse_price(first_text(box.css(".origin-price"))), parse_price(paid), rate)


def _row(slot: str, raw: object, prices: Mapping[int, Prices], unread: tuple[str, ...], page: str) -> dict[str, Any]:
    """Read a row; ``unread``: fields that could not be read if ``prices`` lack its product."""
    with reading("row"):
        item = OrganRow.model_validate(raw)
    with reading("source_product_id"):
        number = parse_id(item.product_id)
    with reading("starts_at"):
        starts_at = kst_instant(*split_stamp(item.product.times.start))
        ends_at = kst_instant(*split_stamp(item.product.times.end))
        if ends_at == starts_at:
            raise ValueError(f"the show ends at {item.product.times.end}, when it starts")
        if ends_at < starts_at:  # an end past midnight with the date of the start
            ends_at += timedelta(days=1)
    found = prices.get(number, Prices(UNKNOWN, UNKNOWN))
    return {
        "slot": slot,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "title": text_or_none(item.title),
        "source_product_id": number,
        "product_name": item.product.product_name.strip(),
        "price": found.price,
        "list_price": found.list_price,
        "discount_rate": found.rate,
        "thumbnail_url": f"{IMAGES}/{number}_X6.jpg" if slot == "main" else image_url(item.image, page),
        "unread": () if number in prices else unread,
    }
