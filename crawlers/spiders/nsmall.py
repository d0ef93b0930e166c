"""NS홈쇼핑: JSON schedule and JSON prices a day for each of two channels."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, Field
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.contracts import BadRow, Owed, json_rows, reading
from crawlers.coverage import Scope
from crawlers.fields import UNKNOWN, Price, https, kst_instant, parse_id, parse_price, split_stamp, text_or_none
from crawlers.job import Job
from crawlers.schedule import PAGES, SHOWS, Row, ScheduleSpider

PATH = "/md/api/v1/display/media/schedule"
CODES = {"tv": "TV", "shopplus": "CTCOM"}
IMAGES = "https://product-image.prod-nsmall.com/new"


class Prices(NamedTuple):
    """What is struck out and what is paid for a product."""

    list_price: Price
    price: Price


class BroadcastTimes(BaseModel):
    """``YYYY-MM-DD HH:MM:SS`` in Korea."""

    start: str = Field(alias="formStartDttm")
    end: str = Field(alias="formEndDttm")


class Goods(BaseModel):
    """The product part of a row."""

    product_name: str = Field(alias="productNm")
    times: BroadcastTimes = Field(alias="brdctInfo")


class OrganRow(BaseModel):
    """A product of a show as the schedule names it."""

    product_id: str | int = Field(alias="goodsCd")
    title: str | None = Field(alias="pgmNm", default=None)
    image: str | None = Field(alias="imageUrl", default=None)
    goods: Goods


class PriceRow(BaseModel):
    """A row of the price answer."""

    product_id: str | int = Field(alias="goodsCd")
    list_price: str | int | None = Field(alias="salePrice", default=None)
    price: str | int | None = Field(alias="dcPrice", default=None)


class NsmallSpider(ScheduleSpider):
    """Channels 4 and 5. The prices of a day come first, then the schedule to which they are joined by product.

    Without its prices a day is still listed, with unknown prices, but does not count as complete.
    """

    name = "nsmall"
    ready: ClassVar = {"parse_page": "meta[name=recobell], .price-wrap"}
    channels: ClassVar = {"tv": 4, "shopplus": 5}
    contracts: ClassVar = {
        "schedule": SHOWS | {"channel_id": Owed(fill=1, one_of=frozenset({4, 5}))},
        "products": PAGES | {"product_name": Owed(fill=0.95)},
    }

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._prices: dict[tuple[str, date], dict[int, Prices]] = {}

    def page_url(self, channel: str, day: date) -> str:
        query = f"formDate={day:%Y%m%d}&cnnlCd={CODES[channel]}"
        return f"{self.job.settings.nsmall_api_url}{PATH}/{channel}/{day:%Y%m%d}?{query}"

    def prices_url(self, channel: str, day: date) -> str:
        """Address of the prices that go with a day's schedule."""
        query = f"formDate={day:%Y%m%d}&CnnlCd={channel}"
        return f"{self.job.settings.nsmall_api_url}{PATH}/brdctPriceInfo?{query}"

    def first_request(self, channel: str, day: date, scopes: Sequence[Scope]) -> Request:
        request = self.ask(
            self.prices_url(channel, day), self.parse_prices, "schedule", scopes, channel=channel, day=day
        )
        return request.replace(errback=partial(self.without_prices, scopes=scopes, channel=channel, day=day))

    def parse_prices(self, response: Response, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Request]:
        """Read the prices of a day, then ask for its schedule."""
        with self.coverage["schedule"].reading(response, scopes):
            self._prices[channel, day] = self._read_prices(response)
        yield super().first_request(channel, day, scopes)

    def without_prices(self, failure: Failure, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Request]:
        """Ask for the schedule although its prices did not come."""
        self.coverage["schedule"].unreachable(failure, scopes)
        yield super().first_request(channel, day, scopes)

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        prices = self._prices.get((channel, day), {})
        for raw in json_rows(response, "data", "resultData", "totalOrgan"):
            yield partial(_row, "main", raw, prices)
            for sub in (raw.get("relTotalOrgan") or []) if isinstance(raw, dict) else []:
                yield partial(_row, "sub", sub, prices)

    def _read_prices(self, response: Response) -> dict[int, Prices]:
        prices: dict[int, Prices] = {}
        for raw in json_rows(response, "data", "resultData"):
            try:
                with reading("prices"):
                    row = PriceRow.model_validate(raw)
                    number = parse_id(row.product_id)
            except BadRow as error:
                self.coverage["schedule"].fault(error.field, response, str(error))
                continue
            prices.setdefault(number, Prices(parse_price(row.list_price), parse_price(row.price)))
        return prices


def _row(slot: str, raw: object, prices: Mapping[int, Prices]) -> dict[str, Any]:
    with reading("row"):
        item = OrganRow.model_validate(raw)
    with reading("source_product_id"):
        number = parse_id(item.product_id)
    with reading("starts_at"):
        starts_at = kst_instant(*split_stamp(item.goods.times.start))
        ends_at = kst_instant(*split_stamp(item.goods.times.end))
        while ends_at <= starts_at:  # an end past midnight that kept the date of the start
            ends_at += timedelta(days=1)
    found = prices.get(number, Prices(UNKNOWN, UNKNOWN))
    return {
        "slot": slot,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "title": text_or_none(item.title),
        "source_product_id": number,
        "product_name": item.goods.product_name.strip(),
        "price": found.price,
        "list_price": found.list_price.amount,
        "thumbnail_url": f"{IMAGES}/{number}_X6.jpg" if slot == "main" else https(item.image),
    }
