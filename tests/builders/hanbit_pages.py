"""Pages of 한빛홈쇼핑 for the stand-in: the shows of channel 9, in a structure of their own."""

import json
from datetime import date
from html import escape

from starlette.requests import Request

from crawlers.standin.catalog import ShowRow
from crawlers.standin.pages import Pages
from crawlers.standin.schedules import Slot
from crawlers.standin.server import FurtherSource
from ukok.korea import KST

CHANNEL = 9


def schedule(pages: Pages, request: Request) -> str:
    """Render the shows of a day with their products."""
    day = date.fromisoformat(request.path_params["day"])
    return f"<epg>{''.join(map(_slot, pages.slots(CHANNEL, day)))}</epg>"


def _slot(slot: Slot) -> str:
    start, end = slot.instants
    products = "".join(map(_product, (slot.main, *slot.subs)))
    times = f'from="{start.astimezone(KST).isoformat()}" minutes="{(end - start).seconds // 60}"'
    return f"<slot {times}><programme>{escape(slot.main.title or '')}</programme>{products}</slot>"


def _product(show: ShowRow) -> str:
    main = "yes" if show.slot == "main" else "no"
    prices = f"<price>{show.dc_price}</price><was>{show.sale_price}</was><picture>{show.thumbnail_url}</picture>"
    return f'<goods code="{show.product_id}" main="{main}"><name>{escape(show.product_name)}</name>{prices}</goods>'


def product(pages: Pages, request: Request) -> str:
    """Render a product page with linked data."""
    found = pages.broadcast_product("hanbit", request.path_params["id"])
    data = {
        "name": found.product_name,
        "brand": "한빛농원",
        "price": found.dc_price,
        "highPrice": found.sale_price,
        "image": [f"//image.hanbit.example/{found.product_id}.jpg"],
        "additionalProperty": {"원산지": "국내산", "중량": "1kg"},
    }
    return f'<html><script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script></html>'


HANBIT = FurtherSource(
    name="hanbit",
    host="www.hanbit.example",
    channels=frozenset({CHANNEL}),
    pages={"/epg/{day}.xml": (schedule, "application/xml"), "/goods/{id}": (product, "text/html")},
)
