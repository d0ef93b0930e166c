"""Shows of a catalog as the sources list them, and the JSON of the two sources that answer in JSON."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crawlers.parsing import Instants, parse_clock, show_instants
from crawlers.standin.catalog import ShowRow
from ukok.korea import KST

BROADCAST_DAY_TURNS = timedelta(hours=5, minutes=20)
HMALL_CHANNELS = {"etv": 2, "dtv": 3}
NSMALL_CHANNELS = {"tv": 4, "shopplus": 5}


@dataclass(frozen=True, slots=True)
class Slot:
    """A show on a page: main product, sub products, and the calendar day of ``start`` and ``end``."""

    main: ShowRow
    subs: tuple[ShowRow, ...]
    day: date

    @property
    def instants(self) -> Instants:
        return show_instants(self.day, self.main.start, self.main.end)


def slots_by_day(shows: Iterable[ShowRow]) -> dict[tuple[int, date], list[Slot]]:
    """Return the slots by (channel, day of the page), ordered by start."""
    rows: dict[tuple[int, date, str, str], list[ShowRow]] = defaultdict(list)
    for show in shows:
        rows[show.channel_id, show.broadcast_date, show.start, show.end].append(show)
    days = defaultdict(list)
    for slot in map(_slot, rows.values()):
        days[slot.main.channel_id, slot.day].append(slot)
    for slots in days.values():
        slots.sort(key=lambda slot: slot.instants)
    return dict(days)


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


def on_air_end(slot: Slot) -> str:
    """Return the end as ``YYYYMMDD HH:MM:SS``, with hyphens in the date if the product id is odd."""
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


def hmall_main(slot: Slot) -> dict[str, Any]:
    """Return a show in hmall's response; only the row of the main product has the calendar day."""
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


def nsmall_main(slot: Slot) -> dict[str, Any]:
    """Return a show in the schedule of NS홈쇼핑, without prices."""
    return _nsmall_row(slot.main, slot) | {"relTotalOrgan": [_nsmall_row(sub, slot) for sub in slot.subs]}


def nsmall_price(show: ShowRow) -> dict[str, Any]:
    """Return a price row of NS홈쇼핑."""
    return {
        "goodsCd": str(show.product_id),
        "salePrice": show.sale_price,
        "dcPrice": show.dc_price,
        "dcRate": int(show.dc_rate_text or 0),
    }


def _extension(url: str) -> str:
    return url.partition("?")[0].rpartition(".")[2]
