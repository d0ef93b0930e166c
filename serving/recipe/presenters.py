"""Build the bodies of the recipe routes."""

from collections.abc import Collection

from recommender.product_ref import KOK
from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recipe.schemas import (
    IngredientProduct,
    IngredientProducts,
    IngredientStatus,
    MatchedRecipe,
    MatchedRecipes,
    Material,
    RecipeDetail,
    RecipeRow,
    RecipeStatus,
    StatusSummary,
)
from serving.recommendations.asked_ingredients import AskedIngredient, AskedIngredients
from serving.recommendations.combination import RecipeCombination
from serving.recommendations.offers import Offer
from serving.recommendations.presenters import complement_rows, used_ingredients
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage
from serving.web.money import shown_price


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
        recipe_url=recipe.url,
    )


def recipe_detail(recipe: Recipe) -> RecipeDetail:
    """A recipe page."""
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


def matched_recipes(
    combination: RecipeCombination, asked: AskedIngredients, complements: Recommendation[str], page: int
) -> MatchedRecipes:
    """A combination of recipes that use the ``asked`` ingredients, and what goes with those."""
    recipes = combination.recipes
    return MatchedRecipes(
        recipes=[_matched_recipe(entry, asked.names, recipes.release_version) for entry in recipes.items],
        page=page,
        total=combination.total,
        combination_number=page,
        has_more_combinations=combination.has_more,
        complements=complement_rows(complements),
        unknown=list(asked.unknown),
        did_you_mean=asked.did_you_mean,
    )


def recipe_status(recipe: Recipe, user_id: int) -> RecipeStatus:
    """The ingredients of a recipe, each once."""
    names = [lines[0].name for lines in recipe.by_ingredient.values()]
    return RecipeStatus(
        recipe_id=recipe.recipe_id,
        user_id=user_id,
        ingredients=[IngredientStatus(material_name=name, status="not_owned") for name in names],
        summary=StatusSummary(total_ingredients=len(names), owned_count=0, cart_count=0, not_owned_count=len(names)),
    )


def ingredient_products(asked: AskedIngredient, products: Recommendation[Offer]) -> IngredientProducts:
    """Products to buy as an ingredient."""
    version = products.release_version
    rows = [
        _show_row(entry.item, entry, version) if isinstance(entry.item, Show) else _mall_row(entry.item, entry, version)
        for entry in products.items
    ]
    return IngredientProducts(
        ingredient=asked.written,
        did_you_mean=asked.did_you_mean,
        recommendations=rows,
        total_count=len(rows),
        release_version=version,
        fallback=products.stage is not Stage.RESOLVED,
    )


def _matched_recipe(
    entry: RecommendedItem[Recipe], given: Collection[str], release_version: str | None
) -> MatchedRecipe:
    used = used_ingredients(entry.item, given)
    return MatchedRecipe(
        **recipe_row(entry.item).model_dump(),
        matched_ingredient_count=len(used),
        total_ingredients_count=len(entry.item.by_ingredient),
        used_ingredients=used,
        reason=entry.reason,
        stage=entry.stage,
        release_version=release_version,
        fallback=False,
    )


def _mall_row(item: KokItem, entry: RecommendedItem[Offer], release_version: str | None) -> IngredientProduct:
    return IngredientProduct(
        source=KOK,
        name=item.name,
        live_id=None,
        kok_product_id=item.ref.product_id,
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
        reason=entry.reason,
        release_version=release_version,
        fallback=entry.stage is not Stage.RESOLVED,
    )


def _show_row(show: Show, entry: RecommendedItem[Offer], release_version: str | None) -> IngredientProduct:
    price = shown_price(show.list_price, show.price, show.price_kind, show.discount_rate)
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
        reason=entry.reason,
        release_version=release_version,
        fallback=entry.stage is not Stage.RESOLVED,
    )
