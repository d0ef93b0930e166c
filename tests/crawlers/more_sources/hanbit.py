"""한빛홈쇼핑, a broadcaster that does not exist: XML schedules and product pages with linked data."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from parsel import Selector
from pydantic import BaseModel
from scrapy import Request
from scrapy.http import Response

from crawlers.items import Detail, HomeShoppingProduct
from crawlers.parsing import image_url, parse_id, parse_price, text_or_none
from crawlers.quality.contracts import BrokenPage, reading, whole_html
from crawlers.spiders_base.schedule_spider import Row, ScheduleSpider


class LinkedProduct(BaseModel):
    """The linked data of a product page."""

    name: str
    brand: str | None
    price: int
    highPrice: int | None  # noqa: N815 (its own name)
    image: list[str]
    additionalProperty: dict[str, str]  # noqa: N815


class HanbitSpider(ScheduleSpider):
    """Channel 9. Times are instants with an offset and a length in minutes."""

    name = "hanbit"
    channels: ClassVar = {"main": 9}

    @property
    def base(self) -> str:
        """The host's base URL."""
        return self.job.settings.more_urls["hanbit"]

    def page_url(self, channel: str, day: date) -> str:
        return f"{self.base}/epg/{day}.xml"

    def product_url(self, product_id: int) -> str:
        return f"{self.base}/goods/{product_id}"

    def request_for(self, url: str) -> Request:
        if "/goods/" in url:
            return self.page_request(parse_id(url.rpartition("/")[2]))
        return self.day_request("main", date.fromisoformat(url.rpartition("/")[2].removesuffix(".xml")))

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        if not response.body.rstrip().endswith(b"</epg>"):
            raise BrokenPage("page", "truncated XML: no </epg> at the end")
        for slot in Selector(text=response.text, type="xml").xpath("/epg/slot"):
            for item in slot.xpath("goods"):
                yield partial(_row, slot, item, response.url)

    def read_page(self, response: Response, product_id: int) -> Iterator[HomeShoppingProduct]:
        data = whole_html(response).css("script[type='application/ld+json']::text").get()
        if data is None:
            raise BrokenPage("page", "no linked data")
        with reading("product"):
            product = LinkedProduct.model_validate_json(data)
            price = parse_price(product.price)
            images = (image_url(image, response.url) for image in product.image)
            yield HomeShoppingProduct(
                source_product_id=product_id,
                product_name=product.name,
                store_name=product.brand,
                price=price.amount,
                price_kind=price.kind,
                list_price=product.highPrice,
                details=tuple(Detail(name=name, value=value) for name, value in product.additionalProperty.items()),
                images=tuple(filter(None, images)),
                description=None,
                observed_at=self.job.now,
                page_url=response.url,
            )


def _row(slot: Selector, item: Selector, page: str) -> dict[str, Any]:
    with reading("starts_at"):
        starts_at = datetime.fromisoformat(slot.attrib["from"])
        ends_at = starts_at + timedelta(minutes=int(slot.attrib["minutes"]))
    with reading("source_product_id"):
        number = parse_id(item.attrib.get("code"))
    return {
        "slot": "main" if item.attrib.get("main") == "yes" else "sub",
        "starts_at": starts_at,
        "ends_at": ends_at,
        "title": text_or_none(slot.xpath("string(programme)").get()),
        "source_product_id": number,
        "product_name": item.xpath("string(name)").get(),
        "price": parse_price(item.xpath("string(price)").get()),
        "list_price": parse_price(item.xpath("string(was)").get()),
        "thumbnail_url": image_url(item.xpath("string(picture)").get(), page),
    }
