"""Recommendation routes for other programs; the frontend's own are with home shopping and recipes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.common.deps import CurrentRuntime, CurrentView, Id, Visitor
from serving.common.errors import NOT_FOUND, not_found
from serving.common.memory_route import MemoryRoute, keep
from serving.common.view import View
from serving.recommend import candidates
from serving.recommend.schemas import (
    RecommendedRecipe,
    RecommendedRecipes,
    ReleaseInService,
    impressions,
    item_origin,
    origin,
)

router = APIRouter(prefix="/api/recommend", tags=["recommend"], route_class=MemoryRoute)

ProductSource = Annotated[str, Path(max_length=20, description="kok or a broadcaster", examples=["kok", "hmall"])]
Count = Annotated[int, Query(ge=1, le=50)]


@router.get("/release")
async def release(runtime: CurrentRuntime, view: CurrentView) -> ReleaseInService:
    """The release that answers."""
    return ReleaseInService(
        version=view.release_version,
        built_at=view.release.manifest.built_at if view.release else None,
        problem=runtime.release.problem if runtime.release else None,
    )


@router.get("/product/{source}/{product_id}/recipes", response_model=RecommendedRecipes, responses=NOT_FOUND)
async def product_recipes(
    request: Request, view: CurrentView, _: Visitor, source: ProductSource, product_id: Id, k: Count = 10
) -> Response:
    """Recipes to cook with any product."""
    picked = candidates.recipes_for(view, source, product_id, _ingredients(view, source, product_id), k)
    recipes = [
        RecommendedRecipe(recipe_id=recipe.recipe_id, recipe_title=recipe.title, **item_origin(picked, reason))
        for recipe, reason in picked.items
    ]
    ids = [recipe.recipe_id for recipe, _ in picked.items]
    shown = impressions(picked, "recipe_id", ids, product_id=product_id, product_source=source)
    body = RecommendedRecipes(recipes=recipes, **origin(picked))
    return keep(request, view, body, noted=("product_recipe_recommendation", shown), source=picked.source)


def _ingredients(view: View, source: str, product_id: int) -> tuple[str, ...]:
    item = view.kok.items.get(product_id) if source == "kok" else None
    show = view.schedule.by_product.get((source, product_id))
    if item is None and not show:
        raise not_found(f"{source} product {product_id}")
    return item.ingredients if item else show[0].product.ingredients if show else ()
