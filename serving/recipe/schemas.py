"""Bodies of the recipe routes."""

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from recommender.text.amounts import read_measure
from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Line, Recipe
from serving.recommendations.candidates import Source
from serving.web.fields import (
    Dish,
    Introduction,
    MallImage,
    PageNumber,
    Price,
    PriceKind,
    RecipeAddress,
    RecipeId,
    RecipeImage,
    RecipeTitle,
    ReleaseVersion,
    ScrapCount,
    Servings,
    UserId,
)
from serving.web.money import shown_price

RECIPE_SITE = "https://www.10000recipe.com/recipe/"

MaterialName = Annotated[str, Field(description="As the recipe writes it", examples=["감자"])]
Score = Annotated[float, Field(examples=[4.5])]
Count = Annotated[int, Field(examples=[3])]


class RecipeRow(BaseModel):
    """A recipe in a list."""

    recipe_id: RecipeId
    recipe_title: RecipeTitle
    cooking_name: Dish | None
    scrap_count: ScrapCount
    cooking_case_name: str | None = Field(description="Occasion", examples=["일상"])
    cooking_category_name: str | None = Field(description="Kind of dish", examples=["밑반찬"])
    cooking_introduction: Introduction | None
    number_of_serving: Servings | None
    thumbnail_url: RecipeImage | None
    recipe_url: RecipeAddress


class Material(BaseModel):
    """A line of the ingredient list."""

    material_id: int = Field(description="Position in the list, from 0", examples=[0])
    recipe_id: RecipeId
    material_name: MaterialName
    measure_amount: str | None = Field(
        description="A number, a range or a word: 1/2, 1 1/2, 2~3, 약간", examples=["1/2"]
    )
    measure_unit: str | None = Field(examples=["개"])
    details: str | None = Field(examples=["껍질 벗긴 것"])


class RecipeDetail(RecipeRow):
    """A recipe's page."""

    materials: list[Material]


class RecipeUrl(BaseModel):
    """Where the recipe was published."""

    url: RecipeAddress


class UsedIngredient(BaseModel):
    """A given ingredient that the recipe uses, with what its lines say together, or the first where units differ."""

    material_name: MaterialName
    measure_amount: float | None = Field(description="null when the recipe says none or 약간", examples=[1.5])
    measure_unit: str | None = Field(examples=["개"])


class MatchedRecipe(RecipeRow):
    """A recipe that uses some of the given ingredients."""

    matched_ingredient_count: int = Field(description="Given ingredients that the recipe uses", examples=[2])
    total_ingredients_count: int = Field(description="Ingredients of the recipe, each counted once", examples=[5])
    used_ingredients: list[UsedIngredient]
    reason: str = Field(description="`uses:` the given ingredients that it uses", examples=["uses:감자,양파"])
    source: Source = Field(description="`resolved`: it was found by its ingredients", examples=["resolved"])
    release_version: ReleaseVersion | None
    fallback: bool = Field(description="Something simpler answered than what was asked for: never", examples=[False])


class MatchedRecipes(BaseModel):
    """A combination: recipes that together use up the given ingredients, in the order in which they take them."""

    recipes: list[MatchedRecipe]
    page: PageNumber
    total: int = Field(description="Recipes that use any of the ingredients", examples=[812])
    combination_number: int = Field(description="The page; there are at most three", examples=[1])
    has_more_combinations: bool = Field(description="The next page is not empty", examples=[True])


class RecipeSearch(BaseModel):
    """A page of what a search found, and how much there is."""

    recipes: list[RecipeRow]
    page: PageNumber
    size: int = Field(description="Recipes a page, as asked for", examples=[15])
    total: int = Field(description="Recipes on all pages", examples=[41])
    fallback: bool = Field(
        description="No recipe holds all the ingredients; these hold the most of them", examples=[False]
    )


class Rating(BaseModel):
    """A rating of a recipe: the mean of all, or the one just given."""

    recipe_id: RecipeId
    rating: Score | None


class NewRating(BaseModel):
    """A user's rating."""

    rating: int = Field(strict=True, ge=0, le=5, examples=[5])


class IngredientStatus(BaseModel):
    """Whether the user has an ingredient. Orders and carts are not known here, so nobody has any."""

    material_name: MaterialName
    status: Literal["owned", "cart", "not_owned"] = Field(examples=["not_owned"])
    order_info: None = Field(default=None, description="Always null", examples=[None])
    cart_info: None = Field(default=None, description="Always null", examples=[None])


class StatusSummary(BaseModel):
    """How many ingredients there are of each status."""

    total_ingredients: Count
    owned_count: int = Field(description="Always 0", examples=[0])
    cart_count: int = Field(description="Always 0", examples=[0])
    not_owned_count: Count


class RecipeStatus(BaseModel):
    """Which ingredients of a recipe the user has."""

    recipe_id: RecipeId
    user_id: UserId
    ingredients: list[IngredientStatus]
    summary: StatusSummary


class IngredientProduct(BaseModel):
    """A product to buy an ingredient as. Every field is there for either source, null where it has no meaning."""

    source: Literal["homeshopping", "kok"] = Field(description="A show or the mall", examples=["kok"])
    name: str = Field(examples=["햇감자 3kg"])
    live_id: int | None = Field(description="Of a show", examples=[None])
    kok_product_id: int | None = Field(description="Of the mall", examples=[10048215])
    thumb_img_url: MallImage | None
    image_url: MallImage | None
    brand_name: str | None = Field(description="Store, else the station of a show", examples=["산지마을"])
    price: Price
    price_kind: PriceKind
    homeshopping_id: int | None = Field(description="Station of a show", examples=[None])
    kok_discount_rate: int | None = Field(description="Percent off in the mall", examples=[25])
    kok_review_cnt: int | None = Field(description="Reviews in the mall", examples=[120])
    kok_review_score: Score | None = Field(description="Mean of the stars in the mall")
    dc_rate: int | None = Field(description="Percent off in a show", examples=[None])
    reason: str = Field(description="`contains:` the ingredient, or `title:` the words", examples=["contains:감자"])
    release_version: ReleaseVersion | None
    fallback: bool = Field(description="It was not resolved to the ingredient, its title names it", examples=[False])


class IngredientProducts(BaseModel):
    """Products to buy an ingredient as."""

    ingredient: str = Field(description="As it was asked for", examples=["감자"])
    recommendations: list[IngredientProduct]
    total_count: Count
    release_version: ReleaseVersion | None
    fallback: bool = Field(description="No product was resolved to the ingredient", examples=[False])


def recipe_row(recipe: Recipe) -> RecipeRow:
    """A recipe as lists show it."""
    return RecipeRow(
        recipe_id=recipe.recipe_id,
        recipe_title=recipe.title,
        cooking_name=recipe.dish,
        scrap_count=recipe.scrap_count,
        cooking_case_name=recipe.occasion,
        cooking_category_name=recipe.kind,
        cooking_introduction=recipe.introduction,
        number_of_serving=recipe.servings,
        thumbnail_url=recipe.image_url,
        recipe_url=recipe_url(recipe.recipe_id),
    )


def recipe_url(recipe_id: int) -> str:
    """Where a recipe was published."""
    return f"{RECIPE_SITE}{recipe_id}"


def recipe_detail(recipe: Recipe) -> RecipeDetail:
    """A recipe's page."""
    materials = [
        Material(
            material_id=position,
            recipe_id=recipe.recipe_id,
            material_name=line.name,
            measure_amount=line.amount,
            measure_unit=line.unit,
            details=line.note,
        )
        for position, line in enumerate(recipe.lines)
    ]
    return RecipeDetail(**recipe_row(recipe).model_dump(), materials=materials)


def uses(recipe: Recipe, given: Collection[str]) -> str:
    """The reason for a recipe: those of the ``given`` ingredients, by canonical names, that it uses."""
    held = recipe.by_ingredient
    return f"uses:{','.join(name for name in given if name in held)}"


def matched_recipe(recipe: Recipe, given: Collection[str], reason: str, release_version: str | None) -> MatchedRecipe:
    """A recipe with those of its ingredients that were ``given``, by canonical names."""
    used = used_ingredients(recipe, given)
    return MatchedRecipe(
        **recipe_row(recipe).model_dump(),
        matched_ingredient_count=len(used),
        total_ingredients_count=len(recipe.by_ingredient),
        used_ingredients=used,
        reason=reason,
        source="resolved",
        release_version=release_version,
        fallback=False,
    )


def used_ingredients(recipe: Recipe, given: Collection[str]) -> list[UsedIngredient]:
    """The ingredients of a recipe that were ``given``, by canonical names, in the order of its list."""
    return [_used(lines) for name, lines in recipe.by_ingredient.items() if name in given]


def recipe_status(recipe: Recipe, user_id: int) -> RecipeStatus:
    """The ingredients of a recipe, each once."""
    names = [lines[0].name for lines in recipe.by_ingredient.values()]
    return RecipeStatus(
        recipe_id=recipe.recipe_id,
        user_id=user_id,
        ingredients=[IngredientStatus(material_name=name, status="not_owned") for name in names],
        summary=StatusSummary(total_ingredients=len(names), owned_count=0, cart_count=0, not_owned_count=len(names)),
    )


def mall_row(item: KokItem, reason: str, release_version: str | None) -> IngredientProduct:
    """A product of the mall to buy an ingredient as."""
    return IngredientProduct(
        source="kok",
        name=item.name,
        live_id=None,
        kok_product_id=item.product_id,
        thumb_img_url=item.thumbnail,
        image_url=item.thumbnail,
        brand_name=item.store,
        price=item.price or 0,
        price_kind=item.price_kind,
        homeshopping_id=None,
        kok_discount_rate=item.discount_rate,
        kok_review_cnt=item.review_count,
        kok_review_score=item.review_score,
        dc_rate=None,
        reason=reason,
        release_version=release_version,
        fallback=not reason.startswith("contains:"),
    )


def show_row(show: Show, reason: str, release_version: str | None) -> IngredientProduct:
    """A broadcast product to buy an ingredient as."""
    price = shown_price(show.list_price, show.price, show.price_kind)
    return IngredientProduct(
        source="homeshopping",
        name=show.product.name,
        live_id=show.live_id,
        kok_product_id=None,
        thumb_img_url=show.product.thumbnail,
        image_url=show.product.thumbnail,
        brand_name=show.product.store or show.station.name,
        price=price.dc or price.sale,
        price_kind=price.kind,
        homeshopping_id=show.station.channel_id,
        kok_discount_rate=None,
        kok_review_cnt=None,
        kok_review_score=None,
        dc_rate=price.rate,
        reason=reason,
        release_version=release_version,
        fallback=not reason.startswith("contains:"),
    )


def _used(lines: Sequence[Line]) -> UsedIngredient:
    measures = [read_measure(line.amount, line.unit) for line in lines]
    number, unit = measures[0]
    if all(measure.unit == unit and measure.number is not None for measure in measures):
        number = sum(measure.number or 0 for measure in measures)
    return UsedIngredient(material_name=lines[0].name, measure_amount=number, measure_unit=unit)
