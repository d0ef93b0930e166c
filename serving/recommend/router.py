"""Recommendation routes for other programs; the frontend's own are with home shopping and recipes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from recommender.models.neighbours import SIMILAR
from serving.catalog.mall import SOURCE as KOK
from serving.recommend.schemas import (
    Found,
    IngredientSuggestion,
    IngredientSuggestions,
    RecommendedProducts,
    RecommendedRecipes,
    ReleaseInService,
    Substitute,
    Substitutes,
    impressions,
    item_origin,
    origin,
    product_name,
    products_body,
    recipes_body,
    shown,
)
from serving.recommendations import candidates, personal
from serving.recommendations.candidates import Recommendation
from serving.recommendations.recently_viewed import viewed_by
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response
from serving.runtime.snapshot import Snapshot
from serving.web.errors import NO_NAME, UNAUTHORIZED, absent, not_found
from serving.web.parameters import STORABLE, Id, IngredientName, KeywordQuery
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/recommend", tags=["recommend"])

ProductSource = Annotated[str, Path(max_length=20, description="kok or a broadcaster", examples=["kok", "hmall"])]
ProductId = Annotated[Id, Path(description="The source's own id", examples=[10048215])]
RecipeId = Annotated[Id, Path(description="The recipe site's own id", examples=[9001])]
Count = Annotated[int, Query(ge=1, le=50, description="At most so many", examples=[10])]
Ingredient = Annotated[IngredientName, Path(description="In any spelling that recipes use", examples=["감자"])]
Prefix = Annotated[str, Query(max_length=50, description="As typed so far", examples=["감", "ㄱㅈ"]), STORABLE]
Target = Annotated[Literal["kok", "home_shopping"], Query(description="The mall, or shows on air or to come")]
NO_PRODUCT = absent("kok product 10048215")


@router.get("/release")
async def release(runtime: CurrentRuntime, snapshot: CurrentSnapshot) -> ReleaseInService:
    """The release that answers."""
    return ReleaseInService(
        version=snapshot.release_version,
        built_at=snapshot.release.manifest.built_at if snapshot.release else None,
        problem=runtime.release.problem if runtime.release else None,
    )


@router.get("/product/{source}/{product_id}/recipes", response_model=RecommendedRecipes, responses=NO_PRODUCT)
async def product_recipes(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, source: ProductSource, product_id: ProductId, k: Count = 10
) -> Response:
    """Recipes to cook with any product."""
    picked = candidates.recipes_for(snapshot, source, product_id, _ingredients(snapshot, source, product_id), k)
    event = events.ProductRecipeRecommendation(**product_name(source, product_id), **impressions(picked))
    return cache_response(request, snapshot, recipes_body(picked), event=event, stage=picked.source)


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
    ingredients = _ingredients(snapshot, source, product_id)
    picked: Recommendation[Any]
    if target == "home_shopping":
        picked = candidates.shows_like(snapshot, source, product_id, ingredients, k, now)
    elif source == KOK:
        picked = candidates.mall_products_like(snapshot, snapshot.kok.items[product_id], k)
    else:
        picked = candidates.mall_products_for(
            snapshot, snapshot.schedule.by_product[(source, product_id)][-1].product, k
        )
    event = events.ProductProductRecommendation(**product_name(source, product_id), **impressions(picked))
    return _products(request, snapshot, picked, now, event)


@router.get("/recipe/{recipe_id}/products", response_model=RecommendedProducts, responses=absent("recipe 9001"))
async def recipe_products(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, recipe_id: RecipeId, k: Count = 10
) -> Response:
    """Products to buy for a recipe, for its most telling ingredients first."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe is None:
        raise not_found(f"recipe {recipe_id}")
    now = runtime.clock()
    picked = candidates.products_for_recipe(snapshot, recipe, k, now)
    event = events.RecipeProductRecommendation(anchor_recipe_id=recipe_id, **impressions(picked))
    return _products(request, snapshot, picked, now, event)


@router.get("/me/recipes", response_model=RecommendedRecipes, responses=UNAUTHORIZED)
def my_recipes(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, k: Count = 10) -> Response:
    """Recipes for the user, from what the user looked at last; popular ones for a new user."""
    picked = personal.recipes(snapshot, viewed_by(runtime, user), k)
    runtime.record_event(user.user_id, events.PersonalRecipeRecommendation(**impressions(picked)))
    return Response(recipes_body(picked), media_type="application/json")


@router.get("/me/products", response_model=RecommendedProducts, responses=UNAUTHORIZED)
def my_products(runtime: CurrentRuntime, snapshot: CurrentSnapshot, user: User, k: Count = 10) -> Response:
    """Products for the user, of the mall and of shows on air or to come, from what the user looked at last."""
    now = runtime.clock()
    picked = personal.products(snapshot, viewed_by(runtime, user), k, now)
    runtime.record_event(user.user_id, events.PersonalProductRecommendation(**impressions(picked)))
    return Response(products_body(snapshot, picked, now), media_type="application/json")


@router.get("/search", response_model=Found)
async def search(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: Visitor,
    keyword: KeywordQuery,
    k: Count = 10,
) -> Response:
    """Recipes and products for a text; spelling, spacing and synonyms are forgiven.

    Where no title holds its words, the release says which recipes mean the same. Shows are on air or to come.
    """
    now = runtime.clock()
    named, offers = candidates.recipes_named(snapshot, keyword, k), candidates.products_named(snapshot, keyword, k, now)
    body = b'{"recipes":%b,"products":%b}' % (recipes_body(named), products_body(snapshot, offers, now))
    event = events.RecommendSearch(
        keyword=keyword,
        release_version=named.release_version,
        source=named.source or offers.source,
        impressions=[*shown(named), *shown(offers)],
    )
    return cache_response(
        request, snapshot, body, until=candidates.next_change(offers, now), event=event, stage=named.source
    )


@router.get("/ingredients", response_model=IngredientSuggestions)
async def suggest_ingredients(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, prefix: Prefix, k: Count = 10
) -> Response:
    """Ingredients for what is being typed: whole syllables, a half one, or initial consonants such as ㄱㅈ."""
    found = snapshot.recipes.ingredient_names.suggest(prefix, k)
    rows = [IngredientSuggestion(ingredient=each.name, recipe_count=each.recipe_count) for each in found]
    return cache_response(request, snapshot, IngredientSuggestions(suggestions=rows))


@router.get("/ingredient/{name:path}/substitutes", response_model=Substitutes, responses=NO_NAME)
async def substitutes(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, name: Ingredient, k: Count = 10
) -> Response:
    """Ingredients that recipes use in its place; none without a release or for an ingredient that it does not know."""
    ingredient = snapshot.recipes.name_of(name)
    found = tuple(snapshot.release.substitutes(ingredient, k)) if snapshot.release else ()
    picked = Recommendation(
        tuple((pair, SIMILAR) for pair in found), "release" if found else None, snapshot.release_version
    )
    rows = [Substitute(ingredient=n, score=score, **item_origin(picked, reason)) for (n, score), reason in picked.items]
    body = Substitutes(ingredient=ingredient, substitutes=rows, **origin(picked))
    return cache_response(request, snapshot, body, event=events.IngredientSubstitutesView(ingredient=ingredient))


def _products(
    request: Request,
    snapshot: Snapshot,
    picked: Recommendation[Any],
    now: datetime,
    event: events.EventPayload,
) -> Response:
    until, body = candidates.next_change(picked, now), products_body(snapshot, picked, now)
    return cache_response(request, snapshot, body, until=until, event=event, stage=picked.source)


def _ingredients(snapshot: Snapshot, source: str, product_id: int) -> tuple[str, ...]:
    item = snapshot.kok.items.get(product_id) if source == KOK else None
    show = snapshot.schedule.by_product.get((source, product_id))
    if item is None and not show:
        raise not_found(f"{source} product {product_id}")
    return item.ingredients if item else show[0].product.ingredients if show else ()
