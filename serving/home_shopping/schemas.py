"""Bodies of the home shopping routes."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final, TypedDict

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from serving.catalog.broadcasts import PageParts, Product, Programme, Schedule, Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommend.schemas import Provenance, Recommended, item_origin, origin
from serving.recommendations.candidates import Recommendation
from serving.runtime.search_history import Searched
from serving.web.clock import KstDateTime
from serving.web.fields import (
    BroadcastId,
    BroadcastImage,
    BroadcastName,
    BroadcastStore,
    IngredientNames,
    ListPrice,
    LiveDate,
    LiveEnd,
    LiveId,
    LiveStart,
    MallId,
    MallImage,
    MallName,
    MallRate,
    MallStore,
    PageNumber,
    Price,
    PriceCut,
    PriceKind,
    RecipeId,
    RecipeImage,
    RecipeTitle,
    ScrapCount,
    Servings,
    UserId,
)
from serving.web.fragments import Fragments, extended, fragment, listed
from serving.web.money import shown_price
from serving.web.parameters import Id

StationId = Annotated[int, Field(description="Its id here", examples=[4])]
StationName = Annotated[str, Field(examples=["NS홈쇼핑"])]
StationNumber = Annotated[int, Field(description="Its place on the remote control", examples=[13])]
Billing = Annotated[
    str, Field(description="`main` or `sub`: what a show is about, or what comes along", examples=["main"])
]


class Slot(BaseModel):
    """When a product is shown and for how much; times are ``HH:MM:SS`` in Korea, prices 0 when unknown."""

    live_id: LiveId
    product_id: BroadcastId
    product_name: BroadcastName
    thumb_img_url: BroadcastImage
    live_date: LiveDate
    live_start_time: LiveStart
    live_end_time: LiveEnd
    sale_price: ListPrice
    dc_price: Price
    dc_rate: PriceCut
    price_kind: PriceKind


class ScheduledSlot(Slot):
    """A row of the schedule."""

    homeshopping_id: StationId
    homeshopping_name: StationName
    homeshopping_channel: StationNumber
    promotion_type: Billing


class ScheduleDay(BaseModel):
    """Rows of the schedule, by date, start and live_id."""

    schedules: list[ScheduledSlot]


class AiredProduct(Slot):
    """A product of a show."""

    promotion_type: Billing


class AiredShow(BaseModel):
    """A show with its products, main ones first; times are ``HH:MM:SS`` in Korea, the date is that of its start."""

    live_date: LiveDate
    live_start_time: LiveStart
    live_end_time: LiveEnd
    live_title: str | None = Field(description="null where the broadcaster gives none", examples=["저녁 장터"])
    products: list[AiredProduct]


class ChannelOnAir(BaseModel):
    """What a channel shows now, and next."""

    homeshopping_id: StationId
    homeshopping_name: StationName
    homeshopping_channel: StationNumber
    now: AiredShow | None = Field(description="null in a gap between shows")
    next: AiredShow | None = Field(description="null where no later show is known")


def _aired_example(live_id: int, start: str, end: str, title: str, product_id: int, product: str) -> JsonDict:
    times: JsonDict = {"live_date": "2025-08-06", "live_start_time": start, "live_end_time": end}
    shown: JsonDict = {
        "live_id": live_id,
        "product_id": product_id,
        "product_name": product,
        "thumb_img_url": f"https://img.example.com/{live_id}.jpg",
        "sale_price": 12000,
        "dc_price": 9000,
        "dc_rate": 25,
        "price_kind": "amount",
        "promotion_type": "main",
    }
    return times | {"live_title": title, "products": [shown | times]}


_ON_AIR_EXAMPLE: Final[JsonDict] = {
    "channels": [
        {
            "homeshopping_id": 4,
            "homeshopping_name": "NS홈쇼핑",
            "homeshopping_channel": 13,
            "now": _aired_example(7, "22:40:00", "23:50:00", "저녁 장터", 2234340850, "강원 수미감자 5kg"),
            "next": _aired_example(8, "23:50:00", "01:00:00", "오늘의 김치", 2234340851, "포기김치 5kg"),
        }
    ]
}


class OnAir(BaseModel):
    """Every channel whose schedule is known, by homeshopping_id."""

    model_config = ConfigDict(json_schema_extra={"example": _ON_AIR_EXAMPLE})

    channels: list[ChannelOnAir]


class ProductDetail(Slot):
    """A product in a show."""

    store_name: BroadcastStore | None
    is_liked: bool = Field(default=False, description="Always false: likes are not known here", examples=[False])
    homeshopping_id: StationId
    homeshopping_name: StationName
    homeshopping_channel: StationNumber
    homeshopping_channel_name: str = Field(examples=["채널 13"])
    homeshopping_channel_image: str = Field(
        description="A picture that the frontend has", examples=["/images/channels/channel_13.jpg"]
    )


class DetailInfo(BaseModel):
    """A line of the product's data sheet."""

    detail_col: str = Field(examples=["원산지"])
    detail_val: str = Field(examples=["국내산"])


class Image(BaseModel):
    """A picture of the product."""

    img_url: str | None = Field(examples=["https://img.example.com/7/detail-1.jpg"])
    sort_order: int = Field(description="Its place, from 1", examples=[1])


class ProductPage(BaseModel):
    """A product's page."""

    product: ProductDetail
    detail_infos: list[DetailInfo]
    images: list[Image]


class IngredientCheck(BaseModel):
    """Whether a product is a cooking ingredient."""

    is_ingredient: bool = Field(examples=[True])


class MallFields(BaseModel):
    """A product of the mall."""

    kok_product_id: MallId
    kok_thumbnail: MallImage | None
    kok_discount_rate: MallRate
    kok_discounted_price: Price
    kok_product_name: MallName
    kok_store_name: MallStore
    price_kind: PriceKind


class MallProduct(MallFields, Recommended):
    """A product of the mall that goes with a broadcast product."""


class MallProducts(Provenance):
    """Products of the mall, best first."""

    products: list[MallProduct]


class RecipeFields(BaseModel):
    """A recipe as a card shows it."""

    recipe_id: RecipeId
    recipe_name: RecipeTitle
    scrap_count: ScrapCount
    ingredients: IngredientNames
    description: str = Field(description="Empty without one", examples=["짭조름한 밥반찬"])
    recipe_image_url: RecipeImage | None
    number_of_serving: Servings | None


class RecipeCard(RecipeFields, Recommended):
    """A recipe to cook with the product."""


class RecipeCards(Provenance):
    """Recipes to cook with the product, best first; none unless it is an ingredient."""

    recipes: list[RecipeCard]
    is_ingredient: bool = Field(examples=[True])
    extracted_keywords: list[str] = Field(description="Ingredients that its title names", examples=[["감자"]])


class FoundSlot(Slot):
    """A product that a search found, in its show on air or to come."""

    store_name: BroadcastStore | None


class SlotSearch(BaseModel):
    """A page of what a search found, and how much there is."""

    total: int = Field(description="Products on all pages", examples=[1])
    page: PageNumber
    size: int = Field(description="Products a page, as asked for", examples=[20])
    products: list[FoundSlot]


class HistoryEntry(BaseModel):
    """A keyword that the user searched for."""

    homeshopping_history_id: int = Field(examples=[12])
    user_id: UserId
    homeshopping_keyword: str = Field(examples=["감자"])
    homeshopping_searched_at: KstDateTime = Field(
        description="Time in Korea, without an offset", examples=["2025-08-06T12:00:00"]
    )


class History(BaseModel):
    """Keywords, newest first."""

    history: list[HistoryEntry]


class ForgetKeyword(BaseModel):
    """A keyword to forget."""

    homeshopping_history_id: Id = Field(examples=[12])


class SlotFields(TypedDict):
    """Fields of :class:`Slot`."""

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
    """When a product is shown and for how much."""
    price = shown_price(show.list_price, show.price, show.price_kind)
    return SlotFields(
        live_id=show.live_id,
        product_id=show.product.product_id,
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
    """A :class:`ScheduleDay` as JSON: food of the days ``first`` to ``last``. The rows of a day are encoded once."""
    days = (_rows_of_day(schedule, first + timedelta(offset)) for offset in range((last - first).days + 1))
    return b'{"schedules":[' + b",".join(rows for rows in days if rows) + b"]}"


def _rows_of_day(schedule: Schedule, day: date) -> bytes:
    key = ("day", day.toordinal())
    rows = schedule.fragments.get(key)
    if rows is None:
        rows = b",".join(scheduled(show).model_dump_json().encode() for show in schedule.food_between(day, day))
        if rows:  # days without shows are as many as there are dates
            schedule.fragments[key] = rows
    return rows


def on_air(programme: Programme, now: datetime) -> ChannelOnAir:
    """What a channel shows now, and next."""
    current, following = programme.at(now)
    return ChannelOnAir(
        homeshopping_id=programme.station.channel_id,
        homeshopping_name=programme.station.name,
        homeshopping_channel=programme.station.number,
        now=aired(current) if current else None,
        next=aired(following) if following else None,
    )


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
    """A :class:`ProductPage` as JSON."""
    station = show.station
    product = slot(show) | {
        "store_name": show.product.store,
        "is_liked": False,
        "homeshopping_id": station.channel_id,
        "homeshopping_name": station.name,
        "homeshopping_channel": station.number,
        "homeshopping_channel_name": f"채널 {station.number}",
        "homeshopping_channel_image": f"/images/channels/channel_{station.number}.jpg",
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
        kok_product_id=item.product_id,
        kok_thumbnail=item.thumbnail,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=item.price or 0,
        kok_product_name=item.name,
        kok_store_name=item.store,
        price_kind=item.price_kind,
    )


def mall_products(picked: Recommendation[KokItem], kept: Fragments) -> bytes:
    """:class:`MallProducts` as JSON."""
    rows = (
        extended(
            fragment(kept, "mall", item.product_id, mall_fields, item),
            item_origin(picked, reason),
        )
        for item, reason in picked.items
    )
    return extended(b'{"products":' + listed(rows) + b"}", origin(picked))


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


def recipe_cards(product: Product, picked: Recommendation[Recipe], kept: Fragments) -> bytes:
    """:class:`RecipeCards` as JSON."""
    rows = (
        extended(
            fragment(kept, "card", recipe.recipe_id, recipe_fields, recipe),
            item_origin(picked, reason),
        )
        for recipe, reason in picked.items
    )
    about = {
        "is_ingredient": product.is_ingredient,
        "extracted_keywords": keywords(product) if product.is_ingredient else [],
    }
    return extended(b'{"recipes":' + listed(rows) + b"}", about | origin(picked))


def keywords(product: Product) -> list[str]:
    """Ingredients that the product's title names."""
    return list(dict.fromkeys(product.ingredients))


def history_entry(row: Searched) -> HistoryEntry:
    """A stored keyword."""
    return HistoryEntry(
        homeshopping_history_id=row.history_id,
        user_id=row.user_id,
        homeshopping_keyword=row.keyword,
        homeshopping_searched_at=row.searched_at,
    )
