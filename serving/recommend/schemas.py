"""What every recommendation says about itself, and the bodies of the recommendation routes."""

from datetime import date, datetime
from typing import Any, Final, TypedDict

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from serving.catalog.broadcasts import Show
from serving.catalog.mall import SOURCE as KOK
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations.candidates import Recommendation, Source
from serving.runtime.snapshot import Snapshot
from serving.web.fields import (
    ListPrice,
    MallImage,
    MallName,
    Price,
    PriceCut,
    PriceKind,
    RecipeId,
    RecipeTitle,
    ReleaseVersion,
)
from serving.web.fragments import extended, fragment, listed
from serving.web.money import shown_price
from sql.warehouse.event_types import Impression


class Provenance(BaseModel):
    """Where a recommendation comes from."""

    release_version: ReleaseVersion | None
    source: Source | None = Field(
        description="Which stage answered; null when there is nothing to recommend", examples=["release"]
    )
    fallback: bool = Field(description="Something simpler than the release answered", examples=[False])


class Origin(TypedDict):
    """Fields of :class:`Provenance`."""

    release_version: str | None
    source: Source | None
    fallback: bool


def origin(recommendation: Recommendation[Any]) -> Origin:
    """Fields of :class:`Provenance` of a recommendation."""
    return Origin(
        release_version=recommendation.release_version,
        source=recommendation.source,
        fallback=recommendation.fallback,
    )


class Recommended(BaseModel):
    """What every recommended item says about itself."""

    reason: str = Field(
        description="`contains:` the shared ingredients, `similar`, `title:` what it names, `viewed:` or `popular`",
        examples=["contains:감자"],
    )
    release_version: ReleaseVersion | None
    source: Source = Field(description="Which stage answered", examples=["release"])
    fallback: bool = Field(description="Something simpler than the release answered", examples=[False])


class ItemOrigin(TypedDict):
    """Fields of :class:`Recommended`."""

    reason: str
    release_version: str | None
    source: Source
    fallback: bool


def item_origin(recommendation: Recommendation[Any], reason: str) -> ItemOrigin:
    """Fields of :class:`Recommended` of an item of a recommendation."""
    return ItemOrigin(
        reason=reason,
        release_version=recommendation.release_version,
        source=recommendation.source or "popular",
        fallback=recommendation.fallback,
    )


class Impressions(TypedDict):
    """Fields of every event that records a recommendation."""

    release_version: str | None
    source: Source | None
    impressions: list[Impression]


class ProductName(TypedDict):
    """A product as events name it; an id alone may be that of several sources."""

    product_id: int
    product_source: str


def impressions(recommendation: Recommendation[Any]) -> Impressions:
    """Return what is recorded when a user is shown a recommendation."""
    return Impressions(
        release_version=recommendation.release_version,
        source=recommendation.source,
        impressions=shown(recommendation),
    )


def shown(recommendation: Recommendation[Any]) -> list[Impression]:
    """Return its recipes and products by position from 1, as events name them: a product by its source and id."""
    return [_impression(position, *picked) for position, picked in enumerate(recommendation.items, start=1)]


def _impression(position: int, item: Recipe | KokItem | Show, reason: str) -> Impression:
    if isinstance(item, Recipe):
        return Impression(position=position, recipe_id=item.recipe_id, reason=reason)
    if isinstance(item, KokItem):
        return Impression(position=position, **product_name(KOK, item.product_id), reason=reason)
    named = product_name(item.product.source, item.product.product_id)
    return Impression(position=position, **named, live_id=item.live_id, reason=reason)


def product_name(source: str, product_id: int) -> ProductName:
    """Return a product as events name it."""
    return ProductName(product_id=product_id, product_source=source)


class ReleaseInService(BaseModel):
    """The release that answers."""

    version: str | None = Field(description="null before the first release", examples=["20250806T030000Z-3f2a9c01d7"])
    built_at: datetime | None = Field(examples=["2025-08-06T03:00:00Z"])
    problem: str | None = Field(description="What keeps the newest release out of service", examples=[None])


class RecommendedRecipe(Recommended):
    """A recipe and why it is here."""

    recipe_id: RecipeId
    recipe_title: RecipeTitle


class RecommendedRecipes(Provenance):
    """Recipes, best first."""

    recipes: list[RecommendedRecipe]


class ProductFields(BaseModel):
    """A product to buy, of the mall or of a show on air or to come; prices are 0 when unknown."""

    product_source: str = Field(description="kok or a broadcaster", examples=["kok"])
    product_id: int = Field(description="The source's own id", examples=[10048215])
    product_name: MallName
    store_name: str | None = Field(description="Else the station of a show", examples=["산지마을"])
    thumb_img_url: MallImage | None
    sale_price: ListPrice
    dc_price: Price
    dc_rate: PriceCut
    price_kind: PriceKind
    live_id: int | None = Field(description="Of a show; null for a product of the mall", examples=[None])
    live_date: date | None = Field(description="Day of the start in Korea", examples=[None])
    live_start_time: str | None = Field(examples=[None])
    live_end_time: str | None = Field(description="Of the next day where it is not after the start", examples=[None])


class RecommendedProduct(ProductFields, Recommended):
    """A product to buy and why it is here."""

    on_air: bool = Field(description="The show is on air now", examples=[False])


class RecommendedProducts(Provenance):
    """Products, best first; shows in order of their start where only shows were asked for."""

    products: list[RecommendedProduct]


class Substitute(Recommended):
    """An ingredient that recipes use alike."""

    reason: str = Field(description="Always `similar`", examples=["similar"])
    ingredient: str = Field(examples=["고구마"])
    score: float = Field(
        description="Cosine of the two ingredients' vectors, at most 1; what recipes hold together stands further down",
        examples=[0.62],
    )


class Substitutes(Provenance):
    """What may stand in for an ingredient, best first: used most alike, and not beside it."""

    ingredient: str = Field(description="The name that was asked for, as recipes spell it", examples=["감자"])
    substitutes: list[Substitute]


def recipes_body(picked: Recommendation[Recipe]) -> bytes:
    """:class:`RecommendedRecipes` as JSON."""
    rows = [
        {"recipe_id": recipe.recipe_id, "recipe_title": recipe.title, **item_origin(picked, reason)}
        for recipe, reason in picked.items
    ]
    return orjson.dumps({"recipes": rows, **origin(picked)})


def products_body(snapshot: Snapshot, picked: Recommendation[Any], now: datetime) -> bytes:
    """:class:`RecommendedProducts` as JSON; what does not change with the hour is encoded once for each product."""
    rows = (
        extended(_fields_of(snapshot, offer), {"on_air": _on_air(offer, now), **item_origin(picked, reason)})
        for offer, reason in picked.items
    )
    return extended(b'{"products":' + listed(rows) + b"}", origin(picked))


def _fields_of(snapshot: Snapshot, offer: KokItem | Show) -> bytes:
    if isinstance(offer, Show):
        return fragment(snapshot.schedule.fragments, "offer", offer.live_id, _show_fields, offer)
    return fragment(snapshot.kok.fragments, "offer", offer.product_id, _mall_fields, offer)


def _on_air(offer: KokItem | Show, now: datetime) -> bool:
    return isinstance(offer, Show) and offer.starts_at <= now < offer.ends_at


def _show_fields(show: Show) -> ProductFields:
    price, product = shown_price(show.list_price, show.price, show.price_kind), show.product
    return ProductFields(
        product_source=product.source,
        product_id=product.product_id,
        product_name=product.name,
        store_name=product.store or show.station.name,
        thumb_img_url=product.thumbnail or None,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        live_id=show.live_id,
        live_date=show.day,
        live_start_time=show.start_time,
        live_end_time=show.end_time,
    )


def _mall_fields(item: KokItem) -> ProductFields:
    price = shown_price(item.list_price, item.price, item.price_kind)
    return ProductFields(
        product_source=KOK,
        product_id=item.product_id,
        product_name=item.name,
        store_name=item.store,
        thumb_img_url=item.thumbnail,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        live_id=None,
        live_date=None,
        live_start_time=None,
        live_end_time=None,
    )


_FOUND_BY: Final[JsonDict] = {
    "release_version": "20250806T030000Z-3f2a9c01d7",
    "source": "text",
    "fallback": False,
}
_TITLED: Final[JsonDict] = {"reason": "title:감자", **_FOUND_BY}
_FOUND_EXAMPLE: Final[JsonDict] = {
    "recipes": {
        **_FOUND_BY,
        "recipes": [{**_TITLED, "recipe_id": 9001, "recipe_title": "포슬포슬 감자조림"}],
    },
    "products": {
        **_FOUND_BY,
        "products": [
            {
                **_TITLED,
                "product_source": "nsmall",
                "product_id": 2234340850,
                "product_name": "강원 수미감자 5kg",
                "store_name": "평창농원",
                "thumb_img_url": "https://img.example.com/7.jpg",
                "sale_price": 12000,
                "dc_price": 9000,
                "dc_rate": 25,
                "price_kind": "amount",
                "live_id": 7,
                "live_date": "2025-08-06",
                "live_start_time": "22:40:00",
                "live_end_time": "23:50:00",
                "on_air": True,
            }
        ],
    },
}


class Found(BaseModel):
    """What a text finds; each of the two says where it comes from."""

    model_config = ConfigDict(json_schema_extra={"example": _FOUND_EXAMPLE})

    recipes: RecommendedRecipes
    products: RecommendedProducts


class IngredientSuggestion(BaseModel):
    """An ingredient that what was typed may become."""

    ingredient: str = Field(examples=["감자"])
    recipe_count: int = Field(description="Recipes that use it", examples=[412])


class IngredientSuggestions(BaseModel):
    """Ingredients, those first that begin with what was typed, the most used of them first."""

    suggestions: list[IngredientSuggestion]
