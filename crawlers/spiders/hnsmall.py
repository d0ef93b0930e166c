"""홈앤쇼핑: one HTML page a day."""

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any, ClassVar

from parsel import Selector
from scrapy.http import Response

from crawlers.contracts import BadRow, BrokenPage, Owed, reading, whole_html
from crawlers.fields import (
    https,
    kst_instant,
    parse_id,
    parse_price,
    show_instants,
    split_stamp,
    split_times,
    text_or_none,
)
from crawlers.schedule import PAGES, SHOWS, Row, ScheduleSpider

ON_AIR = "지금방송중"
_QUOTED = re.compile(r"'([^']*)'")


class HnsmallSpider(ScheduleSpider):
    """Channel 1. The show on air hides its start; the page tells when it ends."""

    name = "hnsmall"
    ready: ClassVar = {"parse_schedule": "div#scheduleWrap li.item", "parse_page": ".priceTotal"}
    channels: ClassVar = {"hnsmall": 1}
    contracts: ClassVar = {
        "schedule": SHOWS | {"channel_id": Owed(fill=1, one_of=frozenset({1})), "title": Owed(fill=0.9)},
        "products": PAGES,  # the page names neither product nor store
    }

    def page_url(self, channel: str, day: date) -> str:
        path = "/display/tvschedule-list?categoryCode=60000059&areaCode=8005369"
        return f"{self.job.settings.hnsmall_url}{path}&broadDay={day:%Y%m%d}"

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        page = whole_html(response)
        root = page.css("div#scheduleWrap")
        if not root:
            raise BrokenPage("page", "no div#scheduleWrap")
        shown = root.attrib.get("date")
        if shown != f"{day:%Y%m%d}":
            raise BrokenPage("page", f"the page is of {shown}, asked for {day:%Y%m%d}")
        on_air_end = page.css("#onAirTime::attr(bdetimesecond)").get()  # the HTML parser lowers attribute names
        for item in root.css("li.item"):
            show = partial(_show, item, day, on_air_end)
            subs = item.css(".sub-prd ul li")
            item.css(".sub-prd").drop()  # what is left belongs to the main product alone
            yield partial(_row, "main", item, "a.goods-info", ".goods-thumb img", show)
            for sub in subs:
                yield partial(_row, "sub", sub, "a[onclick]", "img", show)


def _show(item: Selector, day: date, on_air_end: str | None) -> dict[str, Any]:
    """Times and title, which the products sold beside the main one share."""
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


def _row(slot: str, node: Selector, link: str, image: str, show: partial[dict[str, Any]]) -> dict[str, Any]:
    quoted = _QUOTED.search(node.css(f"{link}::attr(onclick)").get(""))
    with reading("source_product_id"):
        number = parse_id(quoted[1] if quoted else None)
    price = node.css(".price strong::text").get() or node.css(".price p.counselPrd::text").get()
    return show() | {
        "slot": slot,
        "source_product_id": number,
        "product_name": text_or_none("".join(node.css(".tit ::text").getall())),
        "price": parse_price(price),
        "list_price": None,
        "thumbnail_url": https(node.css(f"{image}::attr(src)").get()),
    }
