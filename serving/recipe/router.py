"""Recipe routes, all for logged-in users. Recipes come from memory, ratings from the database."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import StringConstraints
from sqlalchemy.exc import IntegrityError

from serving.common.deps import STORABLE, CurrentRuntime, CurrentView, Id, Keyword, User
from serving.common.errors import NOT_FOUND, UNAUTHORIZED, ErrorBody, not_found
from serving.common.memory_route import MemoryRoute, keep
from serving.common.paging import Page, page_of, page_slice
from serving.common.view import View
from serving.recipe import queries, schemas
from serving.recipe.queries import Recipe
from serving.recipe.schemas import (
    IngredientProducts,
    MatchedRecipes,
    NewRating,
    Rating,
    RecipeDetail,
    RecipeSearch,
    RecipeStatus,
    RecipeUrl,
)
from serving.recommend import candidates

router = APIRouter(prefix="/api/recipes", tags=["recipes"], route_class=MemoryRoute, responses=UNAUTHORIZED)

LAST_COMBINATION = 3
MOST_PRODUCTS = 5
MOST_SHOWS = 2

RecipeSize = Annotated[int, Query(ge=1, le=50)]
IngredientName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), STORABLE]


@router.get("/by-ingredients", responses={400: {"model": ErrorBody, "description": "Counts differ"}})
async def by_ingredients(
    view: CurrentView,
    _: User,
    ingredient: Annotated[list[IngredientName], Query(min_length=3, max_length=50)],
    amount: Annotated[list[float] | None, Query()] = None,
    unit: Annotated[list[str] | None, Query()] = None,
    page: Page = 1,
    size: RecipeSize = 5,
) -> MatchedRecipes:
    """Recipes that use what is there: the best ``size`` of them as combination 1, the next as 2 and 3."""
    _check_counts(ingredient, amount, unit)
    given = {view.recipes.name_of(name) for name in ingredient}
    wanted = page_slice(page, size) if page <= LAST_COMBINATION else slice(0)
    shown, total = view.recipes.with_most(given, wanted)
    return MatchedRecipes(
        recipes=[schemas.matched_recipe(recipe, matched, given) for recipe, matched in shown],
        page=page,
        total=total,
        combination_number=page,
        has_more_combinations=page < LAST_COMBINATION and total > page * size,
    )


@router.get("/search")
def search(
    view: CurrentView,
    _: User,
    recipe: Keyword,
    page: Page = 1,
    size: RecipeSize = 15,
    method: Literal["recipe", "ingredient"] = "recipe",
) -> RecipeSearch:
    """Recipes by words of their title, or by all of some ingredients, separated by commas.

    Words with commas are taken as ingredients whatever ``method`` says: the frontend forgets it from page 2 on.
    """
    by_ingredient = method == "ingredient" or "," in recipe
    found = view.recipes.with_all(_separated(recipe)) if by_ingredient else view.recipes.search(recipe)
    rows = [schemas.recipe_row(row) for row in page_of(found, page, size)]
    return RecipeSearch(recipes=rows, page=page, size=size, total=len(found))


@router.get("/{ingredient}/product-recommend")
def product_recommend(
    runtime: CurrentRuntime, view: CurrentView, _: User, ingredient: IngredientName
) -> IngredientProducts:
    """Products to buy an ingredient as: at most two broadcasts, on air or to come, then the mall's."""
    shows = candidates.shows_with(view, ingredient, MOST_SHOWS, runtime.clock())
    items = candidates.mall_products_with(view, ingredient, MOST_PRODUCTS - len(shows))
    rows = [schemas.show_row(*row) for row in shows] + [schemas.mall_row(*row) for row in items]
    return IngredientProducts(
        ingredient=ingredient,
        recommendations=rows,
        total_count=len(rows),
        release_version=view.release_version,
        fallback=not any(row.reason.startswith("contains:") for row in rows),
    )


@router.get("/{recipe_id}", response_model=RecipeDetail, responses=NOT_FOUND)
async def detail(request: Request, view: CurrentView, _: User, recipe_id: Id) -> Response:
    """A recipe with its ingredient list."""
    body = schemas.recipe_detail(_known(view, recipe_id))
    return keep(request, view, body, needs_login=True, noted=("recipe_detail_view", {"recipe_id": recipe_id}))


@router.get("/{recipe_id}/url", responses=NOT_FOUND)
async def url(view: CurrentView, _: User, recipe_id: Id) -> RecipeUrl:
    """Where a recipe was published."""
    return RecipeUrl(url=schemas.recipe_url(_known(view, recipe_id).recipe_id))


@router.get("/{recipe_id}/status", responses=NOT_FOUND)
async def status(view: CurrentView, user: User, recipe_id: Id) -> RecipeStatus:
    """Which ingredients of a recipe the user has: none, since orders and carts are not known here."""
    return schemas.recipe_status(_known(view, recipe_id), user.user_id)


@router.get("/{recipe_id}/rating", responses=NOT_FOUND)
def rating(runtime: CurrentRuntime, view: CurrentView, _: User, recipe_id: Id) -> Rating:
    """The mean rating of a recipe, 0.0 before the first."""
    _known(view, recipe_id)
    with runtime.service_db.connect() as conn:
        return Rating(recipe_id=recipe_id, rating=queries.mean_rating(conn, recipe_id))


@router.post("/{recipe_id}/rating", responses=NOT_FOUND)
def rate(runtime: CurrentRuntime, view: CurrentView, user: User, recipe_id: Id, body: NewRating) -> Rating:
    """Rate a recipe; the user's earlier rating of it is replaced."""
    _known(view, recipe_id)
    row = {"recipe_id": recipe_id, "user_id": user.user_id, "rating": body.rating, "rated_at": runtime.clock()}
    try:
        with runtime.service_db.begin() as conn:
            queries.rate(conn, row)
    except IntegrityError:
        # Two first ratings of the same user at once: the other one is there by now.
        with runtime.service_db.begin() as conn:
            queries.rate(conn, row)
    return Rating(recipe_id=recipe_id, rating=body.rating)


def _known(view: View, recipe_id: int) -> Recipe:
    recipe = view.recipes.recipes.get(recipe_id)
    if recipe is None:
        raise not_found(f"recipe {recipe_id}")
    return recipe


def _separated(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _check_counts(ingredient: Sequence[str], amount: Sequence[float] | None, unit: Sequence[str] | None) -> None:
    if not amount and not unit:
        raise HTTPException(400, "give an amount or a unit for each ingredient")
    for name, values in (("amount", amount), ("unit", unit)):
        if values and len(values) != len(ingredient):
            raise HTTPException(400, f"{len(ingredient)} ingredients but {len(values)} values of {name}")
