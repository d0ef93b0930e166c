"""Recipes that together use up a stock of ingredients."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from recommender.text.quantities import Quantity
from serving.catalog.pantry import combine
from serving.catalog.recipes import Recipe
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage
from serving.runtime.snapshot import Snapshot


class RecipeCombination(NamedTuple):
    """A combination; ``total`` recipes use any of the stock at all."""

    recipes: Recommendation[Recipe]
    total: int
    has_more: bool


def recommend_combination(
    snapshot: Snapshot, stock: Mapping[str, Quantity], size: int, number: int
) -> RecipeCombination:
    """Combination ``number`` (from 1) of at most ``size`` recipes for a stock by canonical names."""
    combination = combine(snapshot.recipes.pantry, stock, size, number)
    recipes = (snapshot.recipes.popular[position] for position in combination.recipes)
    items = tuple(RecommendedItem(recipe, _reason(recipe, stock), Stage.RESOLVED) for recipe in recipes)
    recommendation = Recommendation(items, Stage.RESOLVED if items else None, snapshot.release_version)
    return RecipeCombination(recommendation, combination.total, combination.has_more)


def _reason(recipe: Recipe, stock: Collection[str]) -> str:
    used = recipe.by_ingredient
    return f"uses:{','.join(name for name in stock if name in used)}"
