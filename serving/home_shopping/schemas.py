"""Bodies of the home shopping routes."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from serving.recommendations.schemas import ItemProvenance, Provenance
from serving.web.clock import KstDateTime
from serving.web.fields import (
    BroadcastId,
    BroadcastImage,
    BroadcastName,
    BroadcastStore,
    DidYouMean,
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
from serving.web.parameters import Id

StationId = Annotated[int, Field(description="Id in this API", examples=[4])]
StationName = Annotated[str, Field(examples=["NS홈쇼핑"])]
StationNumber = Annotated[int, Field(description="Number on the remote control", examples=[13])]
Billing = Annotated[
    str, Field(description="`main` or `sub`: the product of a show, or one sold along with it", examples=["main"])
]


class Slot(BaseModel):
    """Times and prices of a product in a show; times are ``HH:MM:SS`` in Korea, prices 0 when unknown."""

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
    """The show on air and the next show of a channel."""

    homeshopping_id: StationId
    homeshopping_name: StationName
    homeshopping_channel: StationNumber
    now: AiredShow | None = Field(description="null in a gap between shows")
    next: AiredShow | None = Field(description="null where no later show is known")


def _aired_example(live_id: int, start: str, end: str, title: str, product_id: int, product: str) -> JsonDict:
    times: JsonDict = {"live_date": "2025-08-06", "live_start_time": start, "live_end_time": end}
    product_fields: JsonDict = {
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
    return times | {"live_title": title, "products": [product_fields | times]}


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
    homeshopping_channel_image: None = Field(description="Always null: there are no such images", examples=[None])


class DetailInfo(BaseModel):
    """A row of the product's details."""

    detail_col: str = Field(examples=["원산지"])
    detail_val: str = Field(examples=["국내산"])


class Image(BaseModel):
    """An image of the product."""

    img_url: str | None = Field(examples=["https://img.example.com/7/detail-1.jpg"])
    sort_order: int = Field(description="Position, from 1", examples=[1])


class ProductPage(BaseModel):
    """A product page."""

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


class MallProduct(MallFields, ItemProvenance):
    """A product of the mall that goes with a broadcast product."""


class MallProducts(Provenance):
    """Products of the mall, best first."""

    products: list[MallProduct]


class RecipeFields(BaseModel):
    """A recipe as a card shows it."""

    recipe_id: RecipeId
    recipe_name: RecipeTitle
    scrap_count: ScrapCount | None
    ingredients: IngredientNames
    description: str = Field(description="Empty without one", examples=["짭조름한 밥반찬"])
    recipe_image_url: RecipeImage | None
    number_of_serving: Servings | None


class RecipeCard(RecipeFields, ItemProvenance):
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
    """A page of search results, and their total."""

    total: int = Field(description="Products on all pages", examples=[1])
    page: PageNumber
    size: int = Field(description="Products a page, as asked for", examples=[20])
    products: list[FoundSlot]
    did_you_mean: DidYouMean = None


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


class DeleteKeyword(BaseModel):
    """A keyword to delete."""

    homeshopping_history_id: Id = Field(examples=[12])
