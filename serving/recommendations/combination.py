"""Recipes that together use up a stock of ingredients."""

from collections.abc import Mapping
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
    snapshot: Snapshot, stock: Mapping[str, Quantity], given: Mapping[str, str], size: int, number: int
) -> RecipeCombination:
    """Combination ``number`` (from 1) of at most ``size`` recipes for a stock by canonical names.

    ``given`` maps these to the names in reasons.
    """
    combination = combine(snapshot.recipes.pantry, stock, size, number)
    recipes = (snapshot.recipes.popular[position] for position in combination.recipes)
    items = tuple(RecommendedItem(recipe, _reason(recipe, given), Stage.RESOLVED) for recipe in recipes)
    recommendation = Recommendation(items, Stage.RESOLVED if items else None, snapshot.release_version)
    return RecipeCombination(recommendation, combination.total, combination.has_more)


def _reason(recipe: Recipe, given: Mapping[str, str]) -> str:
    used = recipe.by_ingredient
    return f"uses:{','.join(text for name, text in given.items() if name in used)}"
