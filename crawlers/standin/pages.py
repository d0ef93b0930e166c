"""The pages of the four sources, rendered from a catalog with the sources' own structures and quirks."""

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from crawlers.fields import KST, Instants, parse_clock, parse_id, show_instants
from crawlers.standin.catalog import Catalog, KokRow, ShowRow

PAGE_SIZE = 20
ON_AIR = "지금방송중"
BROADCAST_DAY_TURNS = timedelta(hours=5, minutes=20)
HMALL_CHANNELS = {"etv": 2, "dtv": 3}
NSMALL_CHANNELS = {"tv": 4, "shopplus": 5}


class NoSuchPage(LookupError):
    """The source has no page at this address."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A show as a page lists it: the main product, those sold beside it, the calendar day of ``start`` and ``end``."""

    main: ShowRow
    subs: tuple[ShowRow, ...]
    day: date

    @property
    def instants(self) -> Instants:
        return show_instants(self.day, self.main.start, self.main.end)


class Pages:
    """Renders the pages. ``clock`` tells the time that decides which show is on air."""

    def __init__(self, catalog: Catalog, clock: Callable[[], datetime]) -> None:
        self._catalog = catalog
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("crawlers.standin"), undefined=StrictUndefined, autoescape=select_autoescape(["j2"])
        )
        self._templates.filters["protocol_relative"] = lambda url: (url or "").removeprefix("https:")
        self._products = {product.product_id: product for product in catalog.kok}

    @cached_property
    def _categories(self) -> dict[str, list[KokRow]]:
        lists = defaultdict(list)
        for product in self._catalog.kok:
            lists[product.category].append(product)
        return dict(lists)

    @cached_property
    def _schedules(self) -> dict[tuple[int, date], list[Slot]]:
        """The slots of each (channel, day of the page), in order of their start."""
        shows: dict[tuple[int, date, str, str], list[ShowRow]] = defaultdict(list)
        for show in self._catalog.shows:
            shows[show.channel_id, show.broadcast_date, show.start, show.end].append(show)
        days = defaultdict(list)
        for rows in shows.values():
            slot = _slot(rows)
            days[slot.main.channel_id, slot.day].append(slot)
        for slots in days.values():
            slots.sort(key=lambda slot: slot.instants)
        return dict(days)

    def kok_list(self, code: str, page: int) -> str:
        """A page of a category list. A strip of the product seen last carries an id beside those of the cards."""
        products = self._categories.get(code, [])
        shown = products[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        strip = products[-1].product_id if shown else None
        return self._templates.get_template("kok_list.html.j2").render(products=shown, strip=strip)

    def kok_product(self, pro_code: str) -> str:
        """A product page by the base64 of its id; every fifth has its image only in the page's head."""
        try:
            product = self._products[parse_id(base64.b64decode(pro_code, validate=True).decode("ascii"))]
        except (binascii.Error, UnicodeDecodeError, ValueError, KeyError) as error:
            raise NoSuchPage(pro_code) from error
        template = self._templates.get_template("kok_product.html.j2")
        return template.render(p=product, lazy=product.product_id % 5 == 0)

    def hnsmall_schedule(self, day: date) -> str:
        """The schedule of a day; the show on air hides its start, and the page tells when it ends."""
        now = self._clock()
        slots = []
        on_air_end = None
        for slot in self._schedules.get((1, day), []):
            times = f"{slot.main.start} ~ {slot.main.end}"
            if slot.instants.start <= now < slot.instants.end:
                times = ON_AIR
                on_air_end = _on_air_end(slot)
            slots.append({"main": slot.main, "subs": slot.subs, "times": times})
        template = self._templates.get_template("hnsmall_schedule.html.j2")
        return template.render(day=day, slots=slots, on_air_end=on_air_end)

    def hmall_schedule(self, channel: str, day: date) -> str:
        """The shows of a calendar day; those before 05:20 carry the broadcast day before as ``brodDt``."""
        slots = self._schedules.get((HMALL_CHANNELS[channel], day), [])
        return _json({"respCode": "00", "respData": {"broadItemList": [_hmall_main(slot) for slot in slots]}})

    def nsmall_schedule(self, channel: str, day: date) -> str:
        """The schedule of a day, without prices."""
        slots = self._schedules.get((NSMALL_CHANNELS[channel], day), [])
        return _json({"status": "OK", "data": {"resultData": {"totalOrgan": [_nsmall_main(slot) for slot in slots]}}})

    def nsmall_prices(self, channel: str, day: date) -> str:
        """The prices that go with a day's schedule; a product without a known price has no row."""
        rows: dict[int, dict[str, Any]] = {}
        for slot in self._schedules.get((NSMALL_CHANNELS[channel], day), []):
            for show in (slot.main, *slot.subs):
                if show.sale_price is not None:
                    rows.setdefault(show.product_id, _nsmall_price(show))
        return _json({"status": "OK", "data": {"resultData": list(rows.values())}})


def _slot(rows: Iterable[ShowRow]) -> Slot:
    mains: list[ShowRow] = []
    subs: list[ShowRow] = []
    for row in rows:
        (mains if row.slot == "main" else subs).append(row)
    if len(mains) != 1:
        place = (mains or subs)[0]
        where = f"channel {place.channel_id}, {place.broadcast_date}, {place.start}"
        raise ValueError(f"the catalog needs one main product for a show: {where} has {len(mains)}")
    main = mains[0]
    overnight = main.channel_id in HMALL_CHANNELS.values() and parse_clock(main.start) < BROADCAST_DAY_TURNS
    return Slot(main, tuple(subs), main.broadcast_date + timedelta(days=overnight))


def _on_air_end(slot: Slot) -> str:
    """``YYYYMMDD HH:MM:SS``, with hyphens in the date where the product id is odd."""
    end = slot.instants.end.astimezone(KST)
    return end.strftime("%Y-%m-%d %H:%M:%S" if slot.main.product_id % 2 else "%Y%m%d %H:%M:%S")


def _hmall_row(show: ShowRow, image_key: str, image_name: str) -> dict[str, Any]:
    return {
        "brodDt": show.broadcast_date.strftime("%Y%m%d"),
        "brodStrtDtm": show.start,
        "brodEndDtm": show.end,
        "slitmCd": str(show.product_id),
        "slitmNm": show.product_name,
        "sellPrc": show.sale_price,
        "bbprc": show.dc_price,
        "copnRate": int(show.dc_rate_text or 0),
        "prmoTxtCntn": show.title,
        image_key: f"{image_name}.{_extension(show.thumbnail_url)}" if show.thumbnail_url else None,
    }


def _hmall_main(slot: Slot) -> dict[str, Any]:
    row = _hmall_row(slot.main, "brodImgNm", f"onair{slot.main.product_id}")
    row["newBrodDt"] = slot.day.strftime("%Y%m%d") if slot.day != slot.main.broadcast_date else None
    if slot.subs:
        row["withItemList"] = [_hmall_row(sub, "thumImgNm", f"{sub.product_id}_0") for sub in slot.subs]
    return row


def _nsmall_row(show: ShowRow, slot: Slot) -> dict[str, Any]:
    return {
        "goodsCd": str(show.product_id),
        "pgmNm": show.title,
        "imageUrl": show.thumbnail_url if show.slot == "sub" else None,
        "goods": {
            "productNm": show.product_name,
            "brdctInfo": {
                "formStartDttm": f"{slot.day} {show.start}:00",
                "formEndDttm": _nsmall_end(slot),
            },
        },
    }


def _nsmall_end(slot: Slot) -> str:
    if slot.main.end >= "24":
        return f"{slot.day} {slot.main.end}:00"
    return slot.instants.end.astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")


def _nsmall_main(slot: Slot) -> dict[str, Any]:
    return _nsmall_row(slot.main, slot) | {"relTotalOrgan": [_nsmall_row(sub, slot) for sub in slot.subs]}


def _nsmall_price(show: ShowRow) -> dict[str, Any]:
    return {
        "goodsCd": str(show.product_id),
        "salePrice": show.sale_price,
        "dcPrice": show.dc_price,
        "dcRate": int(show.dc_rate_text or 0),
    }


def _extension(url: str) -> str:
    return url.partition("?")[0].rpartition(".")[2]


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
