"""Pages of the four sources, rendered with the structures and quirks of the real ones."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from crawlers.parsing import parse_id
from crawlers.standin.catalog import ShowRow
from crawlers.standin.content import Content
from crawlers.standin.details import hmall_details, hnsmall_details, kok_details, nsmall_details
from crawlers.standin.schedules import (
    HMALL_CHANNELS,
    NSMALL_CHANNELS,
    Slot,
    hmall_main,
    nsmall_main,
    nsmall_price,
    on_air_end,
)

ON_AIR = "지금방송중"

_TEMPLATES = Environment(
    loader=PackageLoader("crawlers.standin"), undefined=StrictUndefined, autoescape=select_autoescape(["j2"])
)
_TEMPLATES.filters["protocol_relative"] = lambda url: (url or "").removeprefix("https:")


class NoSuchPage(LookupError):
    """The source has no page at this address."""


class Pages:
    """Renders the pages of a content. ``clock``: current time, which determines the show on air."""

    def __init__(self, content: Content, clock: Callable[[], datetime]) -> None:
        self._content = content
        self._clock = clock

    def slots(self, channel_id: int, day: date) -> Sequence[Slot]:
        """Return the shows on the page of a channel's day, ordered by start."""
        return self._content.slots(channel_id, day)

    def broadcast_product(self, source: str, number: str) -> ShowRow:
        """Return a product of a broadcaster by the id in a URL."""
        try:
            product = self._content.broadcast_product(source, parse_id(number))
        except ValueError as error:
            raise NoSuchPage(number) from error
        if product is None:
            raise NoSuchPage(number)
        return product

    def kok_list(self, code: str, page: int) -> str:
        """Render a page of a category list. Its strip, of the product viewed last, has an id besides the cards'."""
        return _render("kok_list", products=self._content.category(code, page), strip=self._content.strip(code, page))

    def kok_product(self, pro_code: str) -> str:
        """Render a product page by the base64 of its id."""
        try:
            number = parse_id(base64.b64decode(pro_code, validate=True).decode("ascii"))
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise NoSuchPage(pro_code) from error
        product = self._content.kok_product(number)
        if product is None:
            raise NoSuchPage(pro_code)
        return _render("kok_product", p=product, d=kok_details(product), code=pro_code)

    def hnsmall_schedule(self, day: date) -> str:
        """Render the schedule of a day; it hides the start of the show on air, but states its end."""
        now = self._clock()
        slots = []
        ends = None
        for slot in self.slots(1, day):
            times = f"{slot.main.start} ~ {slot.main.end}"
            if slot.instants.start <= now < slot.instants.end:
                times = ON_AIR
                ends = on_air_end(slot)
            slots.append({"main": slot.main, "subs": slot.subs, "times": times})
        return _render("hnsmall_schedule", day=day, slots=slots, on_air_end=ends)

    def hnsmall_product(self, number: str) -> str:
        """Render a product page; its description is mostly in a frame."""
        product = self.broadcast_product("hnsmall", number)
        return _render("hnsmall_product", p=product, d=hnsmall_details(product))

    def hnsmall_frame(self, number: str) -> str:
        """Render the frame with a product's description."""
        details = hnsmall_details(self.broadcast_product("hnsmall", number))
        if not details.framed:
            raise NoSuchPage(number)
        return _render("hnsmall_frame", d=details)

    def hmall_schedule(self, channel: str, day: date) -> str:
        """Return the shows of a calendar day; those before 05:20 have the broadcast day before as ``brodDt``."""
        slots = self.slots(_channel(HMALL_CHANNELS, channel), day)
        return _json({"respCode": "00", "respData": {"broadItemList": [hmall_main(slot) for slot in slots]}})

    def hmall_product(self, number: str) -> str:
        """Render a product page that embeds all, some or none of its data as JSON."""
        product = self.broadcast_product("hmall", number)
        details = hmall_details(product)
        item = {
            "slitmCd": str(product.product_id),
            "slitmNm": product.product_name,
            "brndNm": details.store,
            "sellPrc": product.sale_price,
            "bbprc": product.dc_price,
        }
        answer = {"itemPtc": item} if details.data == "itemPtc" else {}
        data = None if details.data == "none" else {"props": {"pageProps": {"respData": answer}}}
        rate = _rate(product, product.dc_price)
        return _render("hmall_product", p=product, d=details, data=data, rate=rate)

    def nsmall_schedule(self, channel: str, day: date) -> str:
        """Return the schedule of a day, without prices."""
        slots = self.slots(_channel(NSMALL_CHANNELS, channel), day)
        return _json({"status": "OK", "data": {"resultData": {"totalOrgan": [nsmall_main(slot) for slot in slots]}}})

    def nsmall_prices(self, channel: str, day: date) -> str:
        """Return the prices of a day's schedule; a product without a known price has no row."""
        rows: dict[int, dict[str, Any]] = {}
        for slot in self.slots(_channel(NSMALL_CHANNELS, channel), day):
            for show in (slot.main, *slot.subs):
                if show.sale_price is not None:
                    rows.setdefault(show.product_id, nsmall_price(show))
        return _json({"status": "OK", "data": {"resultData": list(rows.values())}})

    def nsmall_product(self, number: str) -> str:
        """Render a product page."""
        product = self.broadcast_product("nsmall", number)
        rate = _rate(product, product.sale_price)
        return _render("nsmall_product", p=product, d=nsmall_details(product), rate=rate)


def scripted_page(page: str) -> str:
    """Return a page whose script replaces it by ``page`` in a browser, and that is empty without one."""
    return _render("scripted", page=page)


def _channel(known: dict[str, int], name: str) -> int:
    if name not in known:
        raise NoSuchPage(name)
    return known[name]


def _rate(show: ShowRow, of: int | None) -> int | None:
    """Return the discount in percent ``of`` one of the two prices; None if there is no discount."""
    if not (of and show.sale_price and show.dc_price) or show.dc_price >= show.sale_price:
        return None
    return max(1, round((show.sale_price - show.dc_price) * 100 / of))


def _render(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(f"{template}.html.j2").render(values)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
