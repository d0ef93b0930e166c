"""Bodies of the recommendation routes."""

from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recommender.rankers.substitute import Relation
from serving.recommendations.schemas import Complement, ItemProvenance, Provenance
from serving.runtime.canary_state import CanaryState
from serving.web.fields import (
    DidYouMean,
    ListPrice,
    MallImage,
    MallName,
    Price,
    PriceCut,
    PriceKind,
    RecipeId,
    RecipeTitle,
    UnknownIngredients,
)


class ReleaseInService(BaseModel):
    """The release in service."""

    version: str | None = Field(description="null before the first release", examples=["20250806T030000Z-3f2a9c01d7"])
    built_at: datetime | None = Field(examples=["2025-08-06T03:00:00Z"])
    problem: str | None = Field(description="Why the newest release or the canary is not in service", examples=[None])
    canary: CanaryState | None = Field(description="null while no canary runs")


class RecommendedRecipe(ItemProvenance):
    """A recipe and why it is recommended."""

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


class RecommendedProduct(ProductFields, ItemProvenance):
    """A product to buy and why it is recommended."""

    on_air: bool = Field(description="The show is on air now", examples=[False])


class RecommendedProducts(Provenance):
    """Products, best first; shows in order of their start where only shows were asked for."""

    products: list[RecommendedProduct]


class Substitute(ItemProvenance):
    """An ingredient that a cook would accept instead, as recipes write it."""

    reason: str = Field(description="Always `similar`", examples=["similar"])
    ingredient: str = Field(examples=["고구마"])
    score: float = Field(
        description="Probability that a cook would accept it; what is rather unlikely is not shown", examples=[0.62]
    )
    relation: Relation = Field(
        description="`other_name`: the same thing; `variety`: another kind of it; `substitute`: another ingredient",
        examples=["substitute"],
    )


class Substitutes(Provenance):
    """Substitutes for an ingredient, best first; empty where nothing is likely enough to be accepted.

    At most five of them are other names and kinds of the ingredient itself, as their ``relation`` says.
    """

    ingredient: str = Field(description="The requested name, as recipes spell it", examples=["감자"])
    substitutes: list[Substitute]
    did_you_mean: DidYouMean = None


class Complements(Provenance):
    """Ingredients that go with others, best first."""

    ingredients: list[str] = Field(description="The given ingredients, by canonical name", examples=[["감자", "당근"]])
    unknown: UnknownIngredients
    title: str = Field(description="The title as it was read; empty where nothing of it is known", examples=["카레"])
    complements: list[Complement]
    did_you_mean: DidYouMean = None


_PROVENANCE: Final[JsonDict] = {
    "release_version": "20250806T030000Z-3f2a9c01d7",
    "stage": "text",
    "fallback": False,
}
_BY_TITLE: Final[JsonDict] = {"reason": "title:감자", **_PROVENANCE}
_FOUND_EXAMPLE: Final[JsonDict] = {
    "recipes": {
        **_PROVENANCE,
        "recipes": [{**_BY_TITLE, "recipe_id": 9001, "recipe_title": "포슬포슬 감자조림"}],
    },
    "products": {
        **_PROVENANCE,
        "products": [
            {
                **_BY_TITLE,
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
    "did_you_mean": "감자",
}


class Found(BaseModel):
    """Recipes and products that a text finds, each with the stage that answered."""

    model_config = ConfigDict(json_schema_extra={"example": _FOUND_EXAMPLE})

    recipes: RecommendedRecipes
    products: RecommendedProducts
    did_you_mean: DidYouMean = None


class IngredientSuggestion(BaseModel):
    """An ingredient that completes the prefix."""

    ingredient: str = Field(examples=["감자"])
    recipe_count: int = Field(description="Recipes that use it", examples=[412])


class IngredientSuggestions(BaseModel):
    """Ingredients: first those that begin with the prefix, the most used of them first."""

    suggestions: list[IngredientSuggestion]
    did_you_mean: DidYouMean = None
