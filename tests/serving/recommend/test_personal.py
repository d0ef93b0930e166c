"""What a user looked at, and how it is weighed."""

import numpy as np

from serving.catalog.mall import KokCatalog, KokItem
from serving.catalog.recipes import Recipe, RecipeBook
from serving.recommendations import personal
from serving.recommendations.recently_viewed import Viewed
from serving.runtime.snapshot import Snapshot


def recipe(number: int) -> Recipe:
    return Recipe(number, f"요리 {number}", None, None, None, None, None, 0, None, ())


def item(number: int, ingredient: str) -> KokItem:
    return KokItem(
        number, ingredient, "", None, None, None, "unknown", 0, 0, 0.0, True, True, True, (ingredient,), None
    )


def test_what_was_looked_at_last_counts_more_than_what_was_looked_at_long_ago() -> None:
    held = {"감자": [0, 1], "양파": [2], "김치": [3], "쌀": [4], "두부": [5], "무": [6]}
    popular = tuple(recipe(number) for number in range(7))
    snapshot = Snapshot(
        kok=KokCatalog(items={number: item(number, name) for number, name in enumerate(held)}),
        recipes=RecipeBook(popular=popular, postings={name: np.array(rows, np.int32) for name, rows in held.items()}),
    )
    viewed = [Viewed("kok", number) for number in range(len(held))]
    found = [recipe.recipe_id for recipe, _ in personal.recipes(snapshot, viewed, 10).items]
    assert found == [0, 2, 3, 4, 5, 1, 6], "the second best of the last comes before the best of five views ago"
    assert [r.recipe_id for r, _ in personal.recipes(snapshot, viewed[::-1], 10).items][:2] == [6, 5]
