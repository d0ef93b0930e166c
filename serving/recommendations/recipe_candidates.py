"""Generators of recipes: each yields candidates for one kind of request, lazily and best first."""

from collections.abc import Iterator

from recommender.relations.facts import SHOW_RECIPES
from recommender.text import lexicon
from serving.catalog.recipes import Recipe
from serving.recommendations.requests import (
    CartRequest,
    HasIngredients,
    IngredientsRequest,
    PopularRequest,
    ProductRequest,
    SearchRequest,
)
from serving.recommendations.stages import NEIGHBOURS, POPULAR, SEASON, Candidate, alternating
from serving.runtime.snapshot import Snapshot
from serving.web.clock import kst_day

# Texts below this cosine are unrelated; the same limit as when a release is built.
LEAST_COSINE = 0.35


def neighbour_recipes(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """Recipes that the release ranks for the product; the same ranker answers for one that is new since."""
    if snapshot.release:
        product = request.product
        if product.ref in snapshot.release:
            neighbours = snapshot.release.product_recipes(product.ref, NEIGHBOURS)
        else:
            neighbours = snapshot.release.recipes_for_new(product.facts, NEIGHBOURS)
        for neighbour in neighbours:
            yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def recipes_ranked_by_release(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """Recipes with the most informative of the ingredients, then those nearest to them in the release's vectors."""
    if snapshot.release:
        for neighbour in snapshot.release.recipes_by_ingredients(request.ingredients, request.k):
            yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def recipes_with_all_ingredients(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes that contain every ingredient."""
    reason = f"contains:{','.join(request.ingredients)}"
    return (Candidate(recipe, reason) for recipe in snapshot.recipes.with_all(request.ingredients, request.k))


def recipes_with_main_ingredient(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes that contain the first ingredient."""
    return recipes_with_all_ingredients(snapshot, IngredientsRequest(request.ingredients[:1], request.k))


def recipes_with_all_product_ingredients(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes with all ingredients of a product that somebody cooks with."""
    return recipes_with_all_ingredients(snapshot, request) if _is_cooked_with(request) else iter(())


def recipes_with_main_product_ingredient(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes with the first ingredient of a product that somebody cooks with."""
    return recipes_with_main_ingredient(snapshot, request) if _is_cooked_with(request) else iter(())


def popular_recipes(snapshot: Snapshot, request: PopularRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes, and in every other place one of an ingredient in season."""
    popular = (Candidate(recipe, POPULAR) for recipe in snapshot.recipes.popular)
    seasonal = (
        Candidate(recipe, f"{SEASON}{name}")
        for name in lexicon.in_season(kst_day(request.now).month)
        for recipe in snapshot.recipes.with_all((name,), 1)
    )
    return alternating(popular, seasonal, lambda recipe: recipe.recipe_id)


def recipes_for_cart(snapshot: Snapshot, request: CartRequest) -> Iterator[Candidate[Recipe]]:
    """The recipes of a page, with the ingredients of the cart that each contains."""
    for position in request.positions:
        recipe = snapshot.recipes.popular[position]
        contained = set(recipe.ingredients)
        yield Candidate(recipe, f"contains:{','.join(name for name in request.ingredients if name in contained)}")


def recipes_by_title(snapshot: Snapshot, request: SearchRequest) -> Iterator[Candidate[Recipe]]:
    """Recipes whose title or dish matches the keyword."""
    found = snapshot.recipes.search(request.keyword, snapshot.knows).items
    return (Candidate(recipe, f"title:{request.keyword}") for recipe in found)


def recipes_by_meaning(snapshot: Snapshot, request: SearchRequest) -> Iterator[Candidate[Recipe]]:
    """Recipes whose title the release's encoder places near the keyword."""
    if snapshot.release:
        for neighbour in snapshot.release.recipes_by_text(request.keyword, request.k):
            if neighbour.score >= LEAST_COSINE:
                yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def _is_cooked_with(request: ProductRequest) -> bool:
    return request.product.facts.recipes >= SHOW_RECIPES


def _recipe(snapshot: Snapshot, recipe_id: int, reason: str) -> Iterator[Candidate[Recipe]]:
    """The recipe of an id, unless it is no longer in the database."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe:
        yield Candidate(recipe, reason)
