"""Recipe routes, all for logged-in users. Recipes come from memory, ratings from the service database."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticKnownError

from recommender.text.amounts import LARGEST, LONGEST_NUMBER, read_number
from recommender.text.ingredients import split_names
from recommender.text.quantities import Quantity, add_quantities, quantity
from serving.catalog.broadcasts import Show
from serving.catalog.recipes import Recipe
from serving.recipe import presenters, queries
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
from serving.recommendations.asked_ingredients import AskedIngredients, read_ingredient, read_ingredients
from serving.recommendations.combination import recommend_combination
from serving.recommendations.complements import recommend_complements
from serving.recommendations.presenters import impressions
from serving.recommendations.relations import products_for_ingredient
from serving.runtime.accounts import require_account
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User
from serving.runtime.response_cache import cache_response
from serving.runtime.snapshot import Snapshot
from serving.web.errors import AWAY, NO_NAME, UNAUTHORIZED, absent, described, not_found
from serving.web.paging import Page, page_of
from serving.web.parameters import LISTED, STORABLE, Id, IngredientName, Keyword
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/recipes", tags=["recipes"], responses=AWAY | UNAUTHORIZED)

MOST_PRODUCTS = 5
MOST_SHOWS = 2
NO_RECIPE = absent("recipe 9001")

RecipeId = Annotated[Id, Path(description="The recipe site's own id", examples=[9001])]
RecipeSize = Annotated[int, Query(ge=1, le=50, description="At most so many recipes")]


def _as_number(given: object) -> object:
    if isinstance(given, str) and len(given) > LONGEST_NUMBER:
        raise PydanticKnownError("string_too_long", {"max_length": LONGEST_NUMBER})
    number = read_number(given) if isinstance(given, str) else None
    return given if number is None else number


GivenAmount = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False), BeforeValidator(_as_number)]
GivenUnit = Annotated[str, StringConstraints(max_length=20), AfterValidator(str.strip), STORABLE]


@router.get(
    "/by-ingredients",
    response_model=MatchedRecipes,
    responses=described(400, "Counts of ingredients, amounts and units differ", "3 ingredients but 2 values of amount"),
)
async def by_ingredients(
    request: Request,
    snapshot: CurrentSnapshot,
    _: User,
    ingredient: Annotated[
        list[IngredientName],
        LISTED,
        Query(min_length=3, max_length=50, description="Ingredients in stock", examples=[["감자", "양파", "돼지고기"]]),
    ],
    amount: Annotated[
        list[GivenAmount] | None,
        Query(description="Amount of each, also as 1/2 or 1 1/2; 0 when not known", examples=[[500, 2, 300]]),
    ] = None,
    unit: Annotated[
        list[GivenUnit] | None, Query(description="Unit of each amount", examples=[["g", "개", "g"]])
    ] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000, description="Number of the combination; none after 3")] = 1,
    size: RecipeSize = 5,
) -> Response:
    """Recipes that together use up what is there, at most ``size`` of them.

    The ingredients are a stock from which each recipe takes what it needs; rare ingredients count more than salt. The
    list ends early when everything is used up. The next page is another combination, with none of the recipes of this
    one. A value may list several names, separated by commas, each with an amount or unit of its own; ``unknown`` holds
    the names that nothing is known of.
    """
    _check_counts(ingredient, amount, unit)
    asked = read_ingredients(snapshot, ingredient)
    stock = _stock(asked, amount, unit)
    combination = recommend_combination(snapshot, stock, size, page)
    complements = recommend_complements(snapshot, {name: name for name in asked.names})
    body = presenters.matched_recipes(combination, asked, complements, page)
    shown = events.RecipeSearchByIngredients(
        ingredients=ingredient, amount=amount, unit=unit, page=page, **impressions(combination.recipes)
    )
    # An empty answer counts against the release, and a page past the end says nothing of it.
    event = shown if page == 1 or combination.recipes.items else None
    return cache_response(request, snapshot, body, needs_login=True, event=event, stage=combination.recipes.stage)


@router.get("/search", response_model=RecipeSearch)
async def search(
    request: Request,
    snapshot: CurrentSnapshot,
    _: User,
    recipe: Annotated[
        Keyword, Query(description="Words of a title, or ingredients", examples=["김치찌개", "감자,양파"])
    ],
    page: Page = 1,
    size: RecipeSize = 15,
    method: Annotated[Literal["recipe", "ingredient"], Query(description="What the words are of")] = "recipe",
) -> Response:
    """Recipes by words of their title, or by all of some ingredients, separated by commas.

    Words with commas are read as ingredients whatever ``method`` says if recipes use each of them, because the frontend
    does not repeat the method from page 2 on. It then asks for another ``size``, too; pages are counted by the size of
    the request, so recipes of page 1 of 15 come again on page 2 of 5. Misspelled names are corrected. Where no recipe
    contains all the ingredients, the recipes with the most of them are found, and ``fallback`` is true.
    """
    by_ingredient = method == "ingredient" or _lists_ingredients(snapshot, recipe)
    found, complete, did_you_mean = (_with_ingredients if by_ingredient else _with_words)(snapshot, recipe)
    shown = page_of(found, page, size)
    body = RecipeSearch(
        recipes=[presenters.recipe_row(row) for row in shown],
        page=page,
        size=size,
        total=len(found),
        fallback=bool(found) and not complete,
        did_you_mean=did_you_mean,
    )
    event = events.RecipeSearchByKeyword(
        keyword=recipe,
        method="ingredient" if by_ingredient else "recipe",
        page=page,
        size=size,
        result_count=len(found),
        recipe_ids=[row.recipe_id for row in shown],
    )
    return cache_response(request, snapshot, body, needs_login=True, event=event)


@router.get("/{ingredient:path}/product-recommend", response_model=IngredientProducts, responses=NO_NAME)
async def product_recommend(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: User,
    ingredient: Annotated[IngredientName, Path(description="What to buy", examples=["감자"])],
) -> Response:
    """Products to buy as an ingredient: at most two shows, on air or to come, then mall products; five in all."""
    asked = read_ingredient(snapshot, ingredient)
    products = products_for_ingredient(snapshot, asked, MOST_PRODUCTS, MOST_SHOWS, runtime.clock())
    body = presenters.ingredient_products(asked, products)
    event = events.IngredientProductRecommend(ingredient=ingredient, **impressions(products))
    # When the first of the shows ends, another one may take its place; until then none comes before them.
    shows = (entry.item for entry in products.items if isinstance(entry.item, Show))
    until = min((show.ends_at for show in shows), default=None)
    return cache_response(request, snapshot, body, until=until, needs_login=True, event=event, stage=products.stage)


@router.get("/{recipe_id}", response_model=RecipeDetail, responses=NO_RECIPE)
async def detail(request: Request, snapshot: CurrentSnapshot, _: User, recipe_id: RecipeId) -> Response:
    """A recipe with its ingredient list."""
    body = presenters.recipe_detail(_recipe(snapshot, recipe_id))
    return cache_response(request, snapshot, body, needs_login=True, event=events.RecipeDetailView(recipe_id=recipe_id))


@router.get("/{recipe_id}/url", response_model=RecipeUrl, responses=NO_RECIPE)
async def url(request: Request, snapshot: CurrentSnapshot, _: User, recipe_id: RecipeId) -> Response:
    """Where a recipe was published."""
    body = RecipeUrl(url=_recipe(snapshot, recipe_id).url)
    return cache_response(request, snapshot, body, needs_login=True, event=events.RecipeUrlView(recipe_id=recipe_id))


@router.get("/{recipe_id}/status", responses=NO_RECIPE)
async def status(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, recipe_id: RecipeId) -> RecipeStatus:
    """Which ingredients of a recipe the user has: none, because orders and carts are not known here."""
    body = presenters.recipe_status(_recipe(snapshot, recipe_id), user.user_id)
    runtime.record_event(user.user_id, events.RecipeIngredientsStatusView(recipe_id=recipe_id))
    return body


@router.get("/{recipe_id}/rating", responses=NO_RECIPE)
def rating(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, recipe_id: RecipeId) -> Rating:
    """The mean of every user's latest rating of a recipe; 0.0 before the first."""
    _recipe(snapshot, recipe_id)
    with runtime.service_db.connect() as conn:
        mean = queries.mean_rating(conn, recipe_id)
    runtime.record_event(user.user_id, events.RecipeRatingView(recipe_id=recipe_id))
    return Rating(recipe_id=recipe_id, rating=mean)


@router.post("/{recipe_id}/rating", responses=NO_RECIPE)
def rate(
    runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, recipe_id: RecipeId, body: NewRating
) -> Rating:
    """Rate a recipe, replacing the user's earlier rating. The response is the rating just given, not the mean."""
    _recipe(snapshot, recipe_id)
    row = {"recipe_id": recipe_id, "user_id": user.user_id, "rating": body.rating, "rated_at": runtime.clock()}
    with runtime.service_db.begin() as conn:
        # The lock also serialises two first ratings of the same user.
        require_account(conn, user.user_id)
        queries.save_rating(conn, row)
    runtime.record_event(user.user_id, events.RecipeRatingCreate(recipe_id=recipe_id, rating=body.rating))
    return Rating(recipe_id=recipe_id, rating=body.rating)


def _recipe(snapshot: Snapshot, recipe_id: int) -> Recipe:
    """The recipe of an id, else 404."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe is None:
        raise not_found(f"recipe {recipe_id}")
    return recipe


class _Found(NamedTuple):
    """Recipes found, whether they have all that was asked for, and what was read instead."""

    recipes: Sequence[Recipe]
    complete: bool
    did_you_mean: str | None


def _with_ingredients(snapshot: Snapshot, text: str) -> _Found:
    asked = read_ingredients(snapshot, split_names(text))
    found, complete = snapshot.recipes.with_most(each.name for each in asked.asked)
    return _Found(found, complete, asked.did_you_mean if found else None)


def _with_words(snapshot: Snapshot, text: str) -> _Found:
    answer = snapshot.recipes.search(text, snapshot.knows)
    return _Found(answer.items, complete=True, did_you_mean=answer.did_you_mean)


def _lists_ingredients(snapshot: Snapshot, words: str) -> bool:
    """Whether words are ingredients, separated by commas, that recipes use."""
    names = split_names(words)
    if not names or (len(names) == 1 and "," not in words):
        return False
    return all(snapshot.recipes.uses(each.name) for each in read_ingredients(snapshot, names).asked)


def _stock(
    ingredients: AskedIngredients, amount: Sequence[float] | None, unit: Sequence[str] | None
) -> dict[str, Quantity]:
    """The given quantities by canonical name; those of an ingredient that is given twice are added."""
    stock: dict[str, Quantity] = {}
    for position, (_, _, name, is_known) in enumerate(ingredients.asked):
        if is_known:
            number = amount[position] if amount else None
            there = quantity(name, number or None, unit[position] if unit else None)
            stock[name] = add_quantities(stock[name], there) if name in stock else there
    return stock


def _check_counts(ingredient: Sequence[str], amount: Sequence[float] | None, unit: Sequence[str] | None) -> None:
    if not amount and not unit:
        raise HTTPException(400, "give an amount or a unit for each ingredient")
    for name, values in (("amount", amount), ("unit", unit)):
        if values and len(values) != len(ingredient):
            raise HTTPException(400, f"{len(ingredient)} ingredients but {len(values)} values of {name}")
