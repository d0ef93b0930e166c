"""현대홈쇼핑: one JSON response a day for each of two channels, and product pages that carry their data as JSON."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from parsel import Selector
from pydantic import BaseModel, Field
from scrapy import Request
from scrapy.http import Response, TextResponse

from crawlers.items import Detail, HomeShoppingProduct
from crawlers.parsing import Price, parse_clock, parse_day, parse_id, parse_price, show_instants, text_or_none
from crawlers.quality.contracts import BrokenPage, FieldRule, json_rows, reading, whole_html
from crawlers.spiders_base.product_page import (
    WITH_PRICE,
    first_text,
    image_urls,
    parse_or_fault,
    plain_text,
    prices,
    require_product,
)
from crawlers.spiders_base.schedule_spider import PAGES, SHOWS, Row, ScheduleSpider

BROADCAST_DAY_TURNS = timedelta(hours=5, minutes=20)
IMAGES = "https://image.hmall.com/static"
DATA = ("props", "pageProps", "respData", "itemPtc")
FACTS = ("배송비", "택배사", "반품/교환", "소비기한")


class Airing(BaseModel):
    """Dates and times of a row; only a main product's row has the calendar day of a night show."""

    broadcast_day: str = Field(alias="brodDt")
    calendar_day: str | None = Field(alias="newBrodDt", default=None)
    start: str = Field(alias="brodStrtDtm")
    end: str = Field(alias="brodEndDtm")


class BroadItem(Airing):
    """A product of a show in hmall's response; the key of the image differs between main and sub."""

    product_id: str | int = Field(alias="slitmCd")
    product_name: str = Field(alias="slitmNm")
    list_price: str | int | None = Field(alias="sellPrc", default=None)
    price: str | int | None = Field(alias="bbprc", default=None)
    discount_rate: str | float | None = Field(alias="copnRate", default=None)
    title: str | None = Field(alias="prmoTxtCntn", default=None)
    main_image: str | None = Field(alias="brodImgNm", default=None)
    sub_image: str | None = Field(alias="thumImgNm", default=None)


class ProductData(BaseModel):
    """The part of a product page's JSON that names the product."""

    product_id: str | int | None = Field(alias="slitmCd", default=None)
    product_name: str | None = Field(alias="slitmNm", default=None)
    store_name: str | None = Field(alias="brndNm", default=None)
    list_price: str | int | None = Field(alias="sellPrc", default=None)
    price: str | int | None = Field(alias="bbprc", default=None)


class HmallSpider(ScheduleSpider):
    """Channels 2 and 3. Shows before 05:20 carry the broadcast day before as their date."""

    name = "hmall"
    page_version = 2  # the discount rate
    ready: ClassVar = {"parse_page": "script#__NEXT_DATA__, .pdpricebox"}
    channels: ClassVar = {"etv": 2, "dtv": 3}
    contracts: ClassVar = {
        "schedule": SHOWS
        | {
            "channel_id": FieldRule(fill=1, one_of=frozenset(channels.values())),
            "list_price": FieldRule(fill=0.9, minimum=10, maximum=100_000_000),
        },
        "products": PAGES | {"product_name": FieldRule(fill=0.95), "store_name": FieldRule(fill=0.6)},
    }

    def page_url(self, channel: str, day: date) -> str:
        path = "/api/hf/dp/v1/main-tv-new/tv-list"
        query = f"brodDt={day:%Y%m%d}&brodPrrgPage=200&brodType={channel}&deviceInfo=pc"
        return f"{self.job.settings.hmall_api_url}{path}?{query}"

    def product_url(self, product_id: int) -> str:
        return f"{self.job.settings.hmall_url}/md/pda/itemPtc?slitmCd={product_id}"

    def request_for(self, url: str) -> Request:
        query = parse_qs(urlsplit(url).query)
        if "slitmCd" in query:
            return self.page_request(parse_id(query["slitmCd"][0]))
        if query["brodType"][0] not in self.channels:
            raise ValueError(f"unknown channel {query['brodType'][0]!r}")
        return self.day_request(query["brodType"][0], parse_day(query["brodDt"][0]))

    def read_page(self, response: Response, product_id: int) -> Iterator[HomeShoppingProduct]:
        page = whole_html(response)
        coverage = self.coverage["products"]
        shown = _visible_data(page)
        # The embedded JSON is more reliable; the visible page replaces whatever it lacks.
        embedded = parse_or_fault(coverage, "__NEXT_DATA__", page, lambda: _embedded_data(page), unread=())
        found = embedded or ProductData()
        name = text_or_none(found.product_name) or shown.product_name
        if name is None:
            raise BrokenPage("product_name", f"neither {'.'.join(DATA)} nor og:title nor div.pdname names a product")
        require_product(product_id, found.product_id or shown.product_id)
        priced = found if parse_price(found.price).amount else shown
        price, list_price = parse_price(priced.price), parse_price(priced.list_price)
        store = text_or_none(found.store_name) or shown.store_name
        if embedded is None:
            for field in _missing(store, price, list_price):
                coverage.mark_unread(field, page)
        with reading("product"):
            yield HomeShoppingProduct(
                source_product_id=product_id,
                product_name=name,
                store_name=store,
                **prices(list_price, price, first_text(page.css(".pdpricebox .sale-rate em")), coverage, page),
                details=(*_facts(page), *_essential_info(page)),
                images=image_urls(page.css(".speedycat-container img::attr(data-src)").getall(), page),
                description=plain_text(page.css(".speedycat-container")),
                observed_at=self.job.now,
                page_url=page.url,
            )

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        for raw in json_rows(response, "respData", "broadItemList"):
            yield partial(_row, "main", raw, raw)
            for sub in (raw.get("withItemList") or []) if isinstance(raw, dict) else []:
                yield partial(_row, "sub", sub, raw)


def _row(slot: str, raw: object, raw_main: object) -> dict[str, Any]:
    with reading("row"):
        item, main = BroadItem.model_validate(raw), Airing.model_validate(raw_main)
    with reading("source_product_id"):
        number = parse_id(item.product_id)
    with reading("starts_at"):
        starts_at, ends_at = show_instants(_calendar_day(main), item.start, item.end)
    return {
        "slot": slot,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "title": text_or_none(item.title),
        "source_product_id": number,
        "product_name": item.product_name.strip(),
        "price": parse_price(item.price),
        "list_price": parse_price(item.list_price),
        "discount_rate": item.discount_rate,
        "thumbnail_url": _image_url(number, item, slot),
    }


def _calendar_day(main: Airing) -> date:
    """Return the calendar day from which a show's times count; hours of 24 and more count from ``brodDt``."""
    start = parse_clock(main.start)
    broadcast_day = parse_day(main.broadcast_day)
    if start >= timedelta(days=1):
        return broadcast_day
    if main.calendar_day:
        return parse_day(main.calendar_day)
    return broadcast_day + timedelta(days=start < BROADCAST_DAY_TURNS)


def _embedded_data(page: TextResponse) -> ProductData:
    """Parse the product data that the page embeds as JSON."""
    text = page.css("script#__NEXT_DATA__::text").get()
    if text is None:
        raise ValueError("no script#__NEXT_DATA__")
    value = json.loads(text)
    for depth, key in enumerate(DATA, start=1):
        if not isinstance(value, dict) or key not in value:
            raise ValueError(f"the JSON lacks {'.'.join(DATA[:depth])}")
        value = value[key]
    return ProductData.model_validate(value)


def _missing(store: str | None, price: Price, list_price: Price) -> Iterator[str]:
    """Yield the fields that the visible page lacks, which the embedded JSON would have had."""
    if store is None:
        yield "store_name"
    if price.kind == "unknown":
        yield from WITH_PRICE
        if list_price.amount is None:
            yield "list_price"


def _visible_data(page: TextResponse) -> ProductData:
    """Parse the product data from the visible page."""
    store = page.css(".brandshop-link a.link")
    box = page.css(".pdpricebox")
    return ProductData.model_validate(
        {
            "slitmCd": first_text(page.xpath("//tr[normalize-space(th)='상품코드']/td//em")),
            "slitmNm": text_or_none(page.css("meta[property='og:title']::attr(content)").get())
            or first_text(page.css("div.pdname")),
            "brndNm": text_or_none(store.attrib.get("ga-custom-creative")) or first_text(store),
            "sellPrc": first_text(box.css(".sale-before em")),
            "bbprc": first_text(box.css(".sale-price em")),
        }
    )


def _facts(page: TextResponse) -> Iterator[Detail]:
    """Yield the rows of the table of basic facts that have no field of their own."""
    for name in FACTS:
        for cell in page.xpath("//tr[normalize-space(th)=$name]/td", name=name)[:1]:
            yield Detail(name=name, value=_value(cell))


def _value(cell: Selector) -> str:
    spans = [text for span in cell.xpath("./span") if (text := first_text(span))]
    return ", ".join(spans) or first_text(cell) or ""


def _essential_info(page: TextResponse) -> Iterator[Detail]:
    for head in page.css(".accordion-panel.product-essential-info h4.subheadings"):
        if name := first_text(head):
            value = head.xpath("following-sibling::*[1][self::p]")
            yield Detail(name=name, value=first_text(value) or "")


def _image_url(product_id: int, item: BroadItem, slot: str) -> str | None:
    """Return the image URL, which is built from the digits of the id; the response has only the file's ending."""
    digits = str(product_id)
    name = item.main_image if slot == "main" else item.sub_image
    ending = (name or "").partition(".")[2]
    if not ending or len(digits) < 8:
        return None
    folder = f"{IMAGES}/{digits[7]}/{digits[6]}/{digits[4:6]}/{digits[2:4]}"
    if slot == "main":
        return f"{folder}/onair{digits}.{ending}?AR=0&SF=webp"
    return f"{folder}/{digits}_0.{ending}?RS=125x125&AR=0&SF=webp"
