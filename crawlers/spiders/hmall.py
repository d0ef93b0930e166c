"""현대홈쇼핑: one JSON answer a day for each of two channels."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar

from pydantic import BaseModel, Field
from scrapy.http import Response

from crawlers.contracts import Owed, json_rows, reading
from crawlers.fields import parse_clock, parse_day, parse_id, parse_price, show_instants, text_or_none
from crawlers.schedule import PAGES, SHOWS, Row, ScheduleSpider

BROADCAST_DAY_TURNS = timedelta(hours=5, minutes=20)
IMAGES = "https://image.hmall.com/static"


class Airing(BaseModel):
    """The dates and times of a row; only a main product's tell the calendar day of a show at night."""

    broadcast_day: str = Field(alias="brodDt")
    calendar_day: str | None = Field(alias="newBrodDt", default=None)
    start: str = Field(alias="brodStrtDtm")
    end: str = Field(alias="brodEndDtm")


class BroadItem(Airing):
    """A product of a show as hmall's answer names it; the image's key differs between main and sub."""

    product_id: str | int = Field(alias="slitmCd")
    product_name: str = Field(alias="slitmNm")
    list_price: str | int | None = Field(alias="sellPrc", default=None)
    price: str | int | None = Field(alias="bbprc", default=None)
    title: str | None = Field(alias="prmoTxtCntn", default=None)
    main_image: str | None = Field(alias="brodImgNm", default=None)
    sub_image: str | None = Field(alias="thumImgNm", default=None)


class HmallSpider(ScheduleSpider):
    """Channels 2 and 3. Shows before 05:20 carry the broadcast day before as their date."""

    name = "hmall"
    ready: ClassVar = {"parse_page": "script#__NEXT_DATA__, .pdpricebox"}
    channels: ClassVar = {"etv": 2, "dtv": 3}
    contracts: ClassVar = {
        "schedule": SHOWS | {"channel_id": Owed(fill=1, one_of=frozenset({2, 3})), "list_price": Owed(0.9, 10, 10**8)},
        "products": PAGES | {"product_name": Owed(fill=0.95)},
    }

    def page_url(self, channel: str, day: date) -> str:
        path = "/api/hf/dp/v1/main-tv-new/tv-list"
        query = f"brodDt={day:%Y%m%d}&brodPrrgPage=200&brodType={channel}&deviceInfo=pc"
        return f"{self.job.settings.hmall_api_url}{path}?{query}"

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
        "list_price": parse_price(item.list_price).amount,
        "thumbnail_url": _image(number, item, slot),
    }


def _calendar_day(main: Airing) -> date:
    """The calendar day from which a show's times count; hours of 24 and more count from ``brodDt``."""
    start = parse_clock(main.start)
    broadcast_day = parse_day(main.broadcast_day)
    if start >= timedelta(days=1):
        return broadcast_day
    if main.calendar_day:
        return parse_day(main.calendar_day)
    return broadcast_day + timedelta(days=start < BROADCAST_DAY_TURNS)


def _image(number: int, item: BroadItem, slot: str) -> str | None:
    """The image's address, which follows from the digits of the id; only the file's ending is in the answer."""
    digits = str(number)
    name = item.main_image if slot == "main" else item.sub_image
    ending = (name or "").partition(".")[2]
    if not ending or len(digits) < 8:
        return None
    folder = f"{IMAGES}/{digits[7]}/{digits[6]}/{digits[4:6]}/{digits[2:4]}"
    if slot == "main":
        return f"{folder}/onair{digits}.{ending}?AR=0&SF=webp"
    return f"{folder}/{digits}_0.{ending}?RS=125x125&AR=0&SF=webp"
