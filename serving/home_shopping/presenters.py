"""Build the bodies of the home shopping routes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, TypedDict

import orjson

from serving.catalog.broadcasts import PageParts, Product, Programme, Schedule, Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.home_shopping.schemas import (
    AiredProduct,
    AiredShow,
    ChannelOnAir,
    FoundSlot,
    HistoryEntry,
    MallFields,
    OnAir,
    RecipeFields,
    ScheduledSlot,
)
from serving.recommendations.presenters import item_provenance, provenance
from serving.recommendations.stages import Recommendation
from serving.runtime.search_history import Searched
from serving.web.fragments import Fragments, extended, fragment, listed
from serving.web.money import shown_price


class SlotFields(TypedDict):
    """Fields of :class:`~serving.home_shopping.schemas.Slot`."""

    live_id: int
    product_id: int
    product_name: str
    thumb_img_url: str
    live_date: date
    live_start_time: str
    live_end_time: str
    sale_price: int
    dc_price: int
    dc_rate: int
    price_kind: str


def slot(show: Show) -> SlotFields:
    """Times and prices of a product in a show."""
    price = shown_price(show.list_price, show.price, show.price_kind, show.discount_rate)
    return SlotFields(
        live_id=show.live_id,
        product_id=show.product.ref.product_id,
        product_name=show.product.name,
        thumb_img_url=show.product.thumbnail,
        live_date=show.day,
        live_start_time=show.start_time,
        live_end_time=show.end_time,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
    )


def scheduled(show: Show) -> ScheduledSlot:
    """A row of the schedule."""
    return ScheduledSlot(
        **slot(show),
        homeshopping_id=show.station.channel_id,
        homeshopping_name=show.station.name,
        homeshopping_channel=show.station.number,
        promotion_type=show.slot,
    )


NO_SCHEDULE: Final = b'{"schedules":[]}'


def schedule_days(schedule: Schedule, first: date, last: date) -> bytes:
    """Food of the days ``first`` to ``last`` as the JSON of a :class:`~serving.home_shopping.schemas.ScheduleDay`."""
    days = (_rows_of_day(schedule, first + timedelta(offset)) for offset in range((last - first).days + 1))
    return b'{"schedules":[' + b",".join(rows for rows in days if rows) + b"]}"


def _rows_of_day(schedule: Schedule, day: date) -> bytes:
    """Rows of a day as JSON, separated by commas, encoded once for each schedule."""
    key = ("day", day.toordinal())
    rows = schedule.fragments.get(key)
    if rows is None:
        rows = b",".join(scheduled(show).model_dump_json().encode() for show in schedule.food_between(day, day))
        if rows:  # empty days are not cached: there are as many as dates
            schedule.fragments[key] = rows
    return rows


def on_air(programme: Programme, now: datetime) -> ChannelOnAir:
    """The show on air and the next show of a channel."""
    current, following = programme.at(now)
    return ChannelOnAir(
        homeshopping_id=programme.station.channel_id,
        homeshopping_name=programme.station.name,
        homeshopping_channel=programme.station.number,
        now=aired(current) if current else None,
        next=aired(following) if following else None,
    )


def shown_live_ids(on_air: OnAir) -> Iterator[int]:
    """The products in shows that an answer names, in its order."""
    shows = (show for channel in on_air.channels for show in (channel.now, channel.next) if show)
    return (product.live_id for show in shows for product in show.products)


def aired(shows: tuple[Show, ...]) -> AiredShow:
    """A show with its products."""
    last = max(shows, key=lambda show: show.ends_at)
    return AiredShow(
        live_date=last.day,
        live_start_time=last.start_time,
        live_end_time=last.end_time,
        live_title=next((show.title for show in shows if show.title), None),
        products=[AiredProduct(**slot(show), promotion_type=show.slot) for show in shows],
    )


def product_page(show: Show, parts: PageParts) -> bytes:
    """:class:`~serving.home_shopping.schemas.ProductPage` as JSON."""
    station = show.station
    product = slot(show) | {
        "store_name": show.product.store,
        "is_liked": False,
        "homeshopping_id": station.channel_id,
        "homeshopping_name": station.name,
        "homeshopping_channel": station.number,
        "homeshopping_channel_name": f"채널 {station.number}",
        "homeshopping_channel_image": None,
    }
    return orjson.dumps(
        {
            "product": product,
            "detail_infos": [{"detail_col": name, "detail_val": value} for name, value in parts.details],
            "images": [{"img_url": url, "sort_order": order} for order, url in enumerate(parts.images, start=1)],
        }
    )


def found_slot(show: Show) -> FoundSlot:
    """A product that a search found."""
    return FoundSlot(**slot(show), store_name=show.product.store)


def mall_fields(item: KokItem) -> MallFields:
    """A product of the mall."""
    return MallFields(
        kok_product_id=item.ref.product_id,
        kok_thumbnail=item.thumbnail,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=item.price or 0,
        kok_product_name=item.name,
        kok_store_name=item.store,
        price_kind=item.price_kind,
    )


def mall_products(picked: Recommendation[KokItem], fragments: Fragments) -> bytes:
    """:class:`~serving.home_shopping.schemas.MallProducts` as JSON."""
    rows = (
        extended(
            fragment(fragments, "mall", entry.item.ref.product_id, mall_fields, entry.item),
            item_provenance(entry, picked.release_version),
        )
        for entry in picked.items
    )
    return extended(b'{"products":' + listed(rows) + b"}", provenance(picked))


def recipe_fields(recipe: Recipe) -> RecipeFields:
    """A recipe as a card shows it."""
    return RecipeFields(
        recipe_id=recipe.recipe_id,
        recipe_name=recipe.title,
        scrap_count=recipe.scrap_count,
        ingredients=list(dict.fromkeys(line.name for line in recipe.lines)),
        description=recipe.introduction or "",
        recipe_image_url=recipe.image_url,
        number_of_serving=recipe.servings,
    )


def recipe_cards(product: Product, picked: Recommendation[Recipe], fragments: Fragments) -> bytes:
    """:class:`~serving.home_shopping.schemas.RecipeCards` as JSON."""
    rows = (
        extended(
            fragment(fragments, "card", entry.item.recipe_id, recipe_fields, entry.item),
            item_provenance(entry, picked.release_version),
        )
        for entry in picked.items
    )
    about = {
        "is_ingredient": product.is_ingredient,
        "extracted_keywords": list(dict.fromkeys(product.ingredients)) if product.is_ingredient else [],
    }
    return extended(b'{"recipes":' + listed(rows) + b"}", about | provenance(picked))


def history_entry(row: Searched) -> HistoryEntry:
    """A stored keyword."""
    return HistoryEntry(
        homeshopping_history_id=row.history_id,
        user_id=row.user_id,
        homeshopping_keyword=row.keyword,
        homeshopping_searched_at=row.searched_at,
    )
