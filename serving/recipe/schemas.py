"""Bodies of the recipe routes."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serving.recommendations.schemas import Complement, UsedIngredient
from serving.recommendations.stages import Stage
from serving.web.fields import (
    DidYouMean,
    Dish,
    Introduction,
    MallImage,
    MaterialName,
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
    UnknownIngredients,
    UserId,
)

Score = Annotated[float, Field(examples=[4.5])]
Count = Annotated[int, Field(examples=[3])]


class RecipeRow(BaseModel):
    """A recipe in a list."""

    recipe_id: RecipeId
    recipe_title: RecipeTitle
    cooking_name: Dish | None
    scrap_count: ScrapCount | None
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
    """A recipe page."""

    materials: list[Material]


class RecipeUrl(BaseModel):
    """Where the recipe was published."""

    url: RecipeAddress


class MatchedRecipe(RecipeRow):
    """A recipe that uses some of the given ingredients."""

    matched_ingredient_count: int = Field(description="Given ingredients that the recipe uses", examples=[2])
    total_ingredients_count: int = Field(description="Ingredients of the recipe, each counted once", examples=[5])
    used_ingredients: list[UsedIngredient]
    reason: str = Field(description="`uses:` the given ingredients that it uses", examples=["uses:감자,양파"])
    stage: Stage = Field(description="`resolved`: it was found by its ingredients", examples=["resolved"])
    release_version: ReleaseVersion | None
    fallback: bool = Field(description="Always false: nothing simpler answers", examples=[False])


class MatchedRecipes(BaseModel):
    """A combination: recipes that together use up the given ingredients, in the order in which they take them."""

    recipes: list[MatchedRecipe]
    page: PageNumber
    total: int = Field(description="Recipes that use any of the ingredients", examples=[812])
    combination_number: int = Field(description="The page; there are at most three", examples=[1])
    has_more_combinations: bool = Field(description="The next page is not empty", examples=[True])
    complements: list[Complement] = Field(description="Ingredients that go with the given ones, at most five")
    unknown: UnknownIngredients
    did_you_mean: DidYouMean = None


class RecipeSearch(BaseModel):
    """A page of search results, and their total."""

    recipes: list[RecipeRow]
    page: PageNumber
    size: int = Field(description="Recipes a page, as asked for", examples=[15])
    total: int = Field(description="Recipes on all pages", examples=[41])
    fallback: bool = Field(
        description="No recipe contains all the ingredients; these contain the most of them", examples=[False]
    )
    did_you_mean: DidYouMean = None


class Rating(BaseModel):
    """A rating of a recipe: the mean of all, or the one just given."""

    recipe_id: RecipeId
    rating: Score | None


class NewRating(BaseModel):
    """A user's rating."""

    rating: int = Field(strict=True, ge=0, le=5, examples=[5])


class IngredientStatus(BaseModel):
    """Whether the user has an ingredient. Orders and carts are not known here, so no ingredient is owned."""

    material_name: MaterialName
    status: Literal["owned", "cart", "not_owned"] = Field(examples=["not_owned"])
    order_info: None = Field(default=None, description="Always null", examples=[None])
    cart_info: None = Field(default=None, description="Always null", examples=[None])


class StatusSummary(BaseModel):
    """The number of ingredients of each status."""

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
    """A product to buy as an ingredient. Rows of both sources have all fields, null where a field does not apply."""

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
    fallback: bool = Field(description="Found by its title instead of by its resolved ingredients", examples=[False])


class IngredientProducts(BaseModel):
    """Products to buy as an ingredient."""

    ingredient: str = Field(description="As it was asked for", examples=["감자"])
    recommendations: list[IngredientProduct]
    total_count: Count
    release_version: ReleaseVersion | None
    fallback: bool = Field(description="No product was resolved to the ingredient", examples=[False])
    did_you_mean: DidYouMean = None
