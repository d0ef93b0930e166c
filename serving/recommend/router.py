"""Recommendation routes for other programs; those of the frontend belong to the other services."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from recommender.product_ref import ProductRef
from serving.catalog.broadcasts import Product
from serving.catalog.mall import KokItem
from serving.recommend import presenters
from serving.recommend.presenters import products_body, recipes_body
from serving.recommend.schemas import (
    Complements,
    Found,
    IngredientSuggestions,
    RecommendedProducts,
    RecommendedRecipes,
    ReleaseInService,
    Substitutes,
)
from serving.recommendations import personal
from serving.recommendations.asked_ingredients import read_dish, read_ingredient, read_ingredients
from serving.recommendations.complements import recommend_complements
from serving.recommendations.offers import Offer, find_product
from serving.recommendations.presenters import impression_items, impressions, product_fields
from serving.recommendations.recently_viewed import viewed_by
from serving.recommendations.relations import (
    PRODUCTS_FOR_RECIPE,
    RECIPES_FOR_PRODUCT,
    SEARCH_PRODUCTS,
    SEARCH_RECIPES,
    SHOWS_FOR_PRODUCT,
    SUBSTITUTES,
    mall_products_for,
    next_change,
)
from serving.recommendations.requests import (
    IngredientRequest,
    ProductRequest,
    ProductShowsRequest,
    RecipeRequest,
    SearchRequest,
)
from serving.recommendations.stages import Recommendation, recommend
from serving.runtime.canary_state import canary_state
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response, impression_headers
from serving.runtime.snapshot import Snapshot
from serving.web.errors import AWAY, NO_NAME, UNAUTHORIZED, absent, not_found
from serving.web.parameters import LISTED, STORABLE, Id, IngredientName, KeywordQuery
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/recommend", tags=["recommend"], responses=AWAY)

ProductSource = Annotated[str, Path(max_length=20, description="kok or a broadcaster", examples=["kok", "hmall"])]
ProductId = Annotated[Id, Path(description="The source's own id", examples=[10048215])]
RecipeId = Annotated[Id, Path(description="The recipe site's own id", examples=[9001])]
Count = Annotated[int, Query(ge=1, le=50, description="At most so many", examples=[10])]
Ingredient = Annotated[IngredientName, Path(description="In any spelling that recipes use", examples=["감자"])]
GivenIngredients = Annotated[
    list[IngredientName],
    LISTED,
    Query(min_length=1, max_length=50, description="In any spelling that recipes use", examples=[["감자", "당근"]]),
]
DishTitle = Annotated[str, Query(max_length=200, description="What is cooked, if known", examples=["카레"]), STORABLE]
Prefix = Annotated[str, Query(max_length=50, description="As typed so far", examples=["감", "ㄱㅈ"]), STORABLE]
Target = Annotated[Literal["kok", "home_shopping"], Query(description="The mall, or shows on air or to come")]
NO_PRODUCT = absent("kok product 10048215")


@router.get("/release")
async def release(runtime: CurrentRuntime) -> ReleaseInService:
    """The release in service, and the canary that a share of the visitors is served instead."""
    snapshot = runtime.live_snapshot.current
    return ReleaseInService(
        version=snapshot.release_version,
        built_at=snapshot.release.manifest.built_at if snapshot.release else None,
        problem=runtime.release_problem,
        canary=canary_state(runtime),
    )


@router.get("/product/{source}/{product_id}/recipes", response_model=RecommendedRecipes, responses=NO_PRODUCT)
async def product_recipes(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, source: ProductSource, product_id: ProductId, k: Count = 10
) -> Response:
    """Recipes to cook with any product."""
    product = _product(snapshot, source, product_id)
    picked = recommend(snapshot, RECIPES_FOR_PRODUCT, ProductRequest(product, k))
    event = events.ProductRecipeRecommendation(**product_fields(product.ref), **impressions(picked))
    return cache_response(request, snapshot, recipes_body(picked), event=event, stage=picked.stage)


@router.get("/product/{source}/{product_id}/products", response_model=RecommendedProducts, responses=NO_PRODUCT)
async def product_products(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: Visitor,
    source: ProductSource,
    product_id: ProductId,
    target: Target = "kok",
    k: Count = 10,
) -> Response:
    """Products that are like a product: of the mall, or of shows on air or to come, those on air first."""
    now = runtime.clock()
    product = _product(snapshot, source, product_id)
    picked: Recommendation[Offer]
    if target == "home_shopping":
        picked = recommend(snapshot, SHOWS_FOR_PRODUCT, ProductShowsRequest(product, k, now))
    else:
        picked = mall_products_for(snapshot, product, k)
    event = events.ProductProductRecommendation(**product_fields(product.ref), **impressions(picked))
    return _products(request, snapshot, picked, now, event)


@router.get("/recipe/{recipe_id}/products", response_model=RecommendedProducts, responses=absent("recipe 9001"))
async def recipe_products(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, recipe_id: RecipeId, k: Count = 10
) -> Response:
    """Products to buy for a recipe, for its most informative ingredients first."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe is None:
        raise not_found(f"recipe {recipe_id}")
    now = runtime.clock()
    picked = recommend(snapshot, PRODUCTS_FOR_RECIPE, RecipeRequest(recipe, k, now))
    event = events.RecipeProductRecommendation(anchor_recipe_id=recipe_id, **impressions(picked))
    return _products(request, snapshot, picked, now, event)


@router.get("/me/recipes", response_model=RecommendedRecipes, responses=UNAUTHORIZED)
def my_recipes(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, k: Count = 10) -> Response:
    """Recipes for the user, from what the user viewed last; popular ones for a new user."""
    picked = personal.recommend_recipes(snapshot, viewed_by(runtime, user), k, runtime.clock())
    event_id = runtime.record_event(user.user_id, events.PersonalRecipeRecommendation(**impressions(picked)))
    return Response(recipes_body(picked), headers=impression_headers(event_id), media_type="application/json")


@router.get("/me/products", response_model=RecommendedProducts, responses=UNAUTHORIZED)
def my_products(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, k: Count = 10) -> Response:
    """Products for the user, of the mall and of shows on air or to come, from what the user viewed last."""
    now = runtime.clock()
    picked = personal.recommend_products(snapshot, viewed_by(runtime, user), k, now)
    event_id = runtime.record_event(user.user_id, events.PersonalProductRecommendation(**impressions(picked)))
    body = products_body(snapshot, picked, now)
    return Response(body, headers=impression_headers(event_id), media_type="application/json")


@router.get("/search", response_model=Found)
async def search(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: Visitor,
    keyword: KeywordQuery,
    k: Count = 10,
) -> Response:
    """Recipes and products for a text, tolerant of spelling and spacing, synonyms included.

    Where no title contains its words, the release finds recipes of similar meaning. Shows are on air or to come.
    """
    now = runtime.clock()
    asked = SearchRequest(keyword, k, now)
    recipes, products = recommend(snapshot, SEARCH_RECIPES, asked), recommend(snapshot, SEARCH_PRODUCTS, asked)
    meant = snapshot.did_you_mean(keyword) if recipes.items or products.items else None
    body = presenters.found_body(snapshot, recipes, products, now, meant)
    event = events.RecommendSearch(
        keyword=keyword,
        release_version=recipes.release_version,
        stage=recipes.stage or products.stage,
        impressions=[*impression_items(recipes), *impression_items(products)],
    )
    return cache_response(request, snapshot, body, until=next_change(products, now), event=event, stage=recipes.stage)


@router.get("/ingredients", response_model=IngredientSuggestions)
async def suggest_ingredients(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, prefix: Prefix, k: Count = 10
) -> Response:
    """Ingredients that complete a prefix: whole syllables, an unfinished one, or initial consonants such as ㄱㅈ.

    Latin letters are read as an English or romanised name, or as Korean that was typed on the wrong keyboard.
    """
    found = snapshot.recipes.ingredient_names.complete(prefix, k)
    return cache_response(request, snapshot, presenters.suggestions(found))


@router.get("/ingredient/{name:path}/substitutes", response_model=Substitutes, responses=NO_NAME)
async def substitutes(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, name: Ingredient, k: Count = 10
) -> Response:
    """What a cook would take instead: other kinds of the ingredient, and other ingredients.

    None without a release, for an ingredient that is not in it, or where nothing is likely enough.
    """
    asked = read_ingredient(snapshot, name)
    picked = recommend(snapshot, SUBSTITUTES, IngredientRequest(asked, k))
    body = presenters.substitutes(asked, picked)
    names = presenters.substitute_names(picked)
    event = events.IngredientSubstitutesView(ingredient=asked.name, **impressions(names))
    return cache_response(request, snapshot, body, event=event, stage=picked.stage)


@router.get("/complete", response_model=Complements)
async def complete(
    request: Request,
    snapshot: CurrentSnapshot,
    _: Visitor,
    ingredient: GivenIngredients,
    title: DishTitle = "",
    k: Count = 10,
) -> Response:
    """What goes with some ingredients: those that complete a recipe with them, of this title if there is one.

    A value may list several names, separated by commas. Names that nothing is known of are left out and returned as
    `unknown`.
    """
    asked = read_ingredients(snapshot, ingredient)
    dish = read_dish(snapshot, title)
    found = recommend_complements(snapshot, asked.given, k, dish)
    event = events.IngredientComplementsView(ingredients=list(asked.names), title=title, **impressions(found))
    body = presenters.complements(asked, dish, found)
    return cache_response(request, snapshot, body, event=event, stage=found.stage)


def _products(
    request: Request,
    snapshot: Snapshot,
    picked: Recommendation[Offer],
    now: datetime,
    event: events.EventPayload,
) -> Response:
    until, body = next_change(picked, now), products_body(snapshot, picked, now)
    return cache_response(request, snapshot, body, until=until, event=event, stage=picked.stage)


def _product(snapshot: Snapshot, source: str, product_id: int) -> KokItem | Product:
    """The product of a source and id, else 404."""
    product = find_product(snapshot, ProductRef(source, product_id))
    if product is None:
        raise not_found(f"{source} product {product_id}")
    return product
