"""What every recommendation says about itself, and the bodies of the recommendation routes."""

from datetime import date, datetime
from typing import Any, TypedDict

from pydantic import BaseModel, Field

from serving.common.money import shown_price
from serving.home_shopping.queries import Show
from serving.kok.queries import SOURCE as KOK
from serving.kok.queries import KokItem
from serving.recipe.queries import Recipe
from serving.recommend.candidates import Recommendation, Source


class Provenance(BaseModel):
    """Where a recommendation comes from."""

    release_version: str | None = Field(description="Release in service when this was answered")
    source: Source | None = Field(description="Which stage answered; null when there is nothing to recommend")
    fallback: bool = Field(description="Something simpler than the release answered")


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
    release_version: str | None = Field(description="Release in service when this was answered")
    source: Source = Field(description="Which stage answered")
    fallback: bool = Field(description="Something simpler than the release answered")


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


def impressions(recommendation: Recommendation[Any], **asked: object) -> dict[str, object]:
    """What is recorded when a user is shown a recommendation for what was ``asked``."""
    return {
        **asked,
        "release_version": recommendation.release_version,
        "source": recommendation.source,
        "impressions": shown(recommendation),
    }


def shown(recommendation: Recommendation[Any]) -> list[dict[str, object]]:
    """Its recipes and products, by position from 1, as events name them: a product by its source and id."""
    return [
        {"position": position, **_name(item), "reason": reason}
        for position, (item, reason) in enumerate(recommendation.items, start=1)
    ]


def _name(item: Recipe | KokItem | Show) -> dict[str, object]:
    if isinstance(item, Recipe):
        return {"recipe_id": item.recipe_id}
    if isinstance(item, KokItem):
        return product_name(KOK, item.product_id)
    return product_name(item.product.source, item.product.product_id) | {"live_id": item.live_id}


def product_name(source: str, product_id: int) -> dict[str, object]:
    """A product as events name it; an id alone may be that of several sources."""
    return {"product_id": product_id, "product_source": source}


class ReleaseInService(BaseModel):
    """The release that answers."""

    version: str | None = Field(examples=["20250806T030000Z-3f2a9c01d7"])
    built_at: datetime | None
    problem: str | None = Field(description="What keeps the newest release out of service")


class RecommendedRecipe(Recommended):
    """A recipe and why it is here."""

    recipe_id: int
    recipe_title: str


class RecommendedRecipes(Provenance):
    """Recipes, best first."""

    recipes: list[RecommendedRecipe]


class RecommendedProduct(Recommended):
    """A product to buy, of the mall or of a show on air or to come; prices are 0 when unknown."""

    product_source: str = Field(description="kok or a broadcaster", examples=["kok"])
    product_id: int
    product_name: str
    store_name: str | None
    thumb_img_url: str | None
    sale_price: int
    dc_price: int
    dc_rate: int
    price_kind: str
    live_id: int | None = Field(description="null for a product of the mall, as is all that follows")
    live_date: date | None
    live_start_time: str | None
    live_end_time: str | None
    on_air: bool = Field(description="The show is on air now")


class RecommendedProducts(Provenance):
    """Products, best first; shows in order of their start where only shows were asked for."""

    products: list[RecommendedProduct]


class Substitute(Recommended):
    """An ingredient that recipes use alike."""

    ingredient: str
    score: float = Field(
        description="Cosine of the two ingredients' vectors, at most 1; what recipes hold together stands further down"
    )


class Substitutes(Provenance):
    """What may stand in for an ingredient, best first: used most alike, and not beside it."""

    ingredient: str = Field(description="The name that was asked for, as recipes spell it")
    substitutes: list[Substitute]


def recommended_product(offer: KokItem | Show, origin: ItemOrigin, now: datetime) -> RecommendedProduct:
    """A product as it can be bought now."""
    if isinstance(offer, Show):
        price, product = shown_price(offer.list_price, offer.price, offer.price_kind), offer.product
        return RecommendedProduct(
            product_source=product.source,
            product_id=product.product_id,
            product_name=product.name,
            store_name=product.store or offer.station.name,
            thumb_img_url=product.thumbnail or None,
            sale_price=price.sale,
            dc_price=price.dc,
            dc_rate=price.rate,
            price_kind=price.kind,
            live_id=offer.live_id,
            live_date=offer.day,
            live_start_time=offer.start_time,
            live_end_time=offer.end_time,
            on_air=offer.starts_at <= now < offer.ends_at,
            **origin,
        )
    price = shown_price(offer.list_price, offer.price, offer.price_kind)
    return RecommendedProduct(
        product_source=KOK,
        product_id=offer.product_id,
        product_name=offer.name,
        store_name=offer.store,
        thumb_img_url=offer.thumbnail,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        live_id=None,
        live_date=None,
        live_start_time=None,
        live_end_time=None,
        on_air=False,
        **origin,
    )


class Found(BaseModel):
    """What a text finds; each of the two says where it comes from."""

    recipes: RecommendedRecipes
    products: RecommendedProducts


class IngredientSuggestion(BaseModel):
    """An ingredient that what was typed may become."""

    ingredient: str = Field(examples=["감자"])
    recipe_count: int = Field(description="Recipes that use it", examples=[412])


class IngredientSuggestions(BaseModel):
    """Ingredients, those first that begin with what was typed, the most used of them first."""

    suggestions: list[IngredientSuggestion]
