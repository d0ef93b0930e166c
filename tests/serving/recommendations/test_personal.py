"""How the views of a user are weighed."""

from datetime import UTC, datetime

import numpy as np

from recommender.product_ref import KOK, ProductRef
from serving.catalog.mall import KokCatalog, KokItem
from serving.catalog.recipes import Recipe, RecipeBook
from serving.recommendations.personal import recommend_recipes
from serving.recommendations.recently_viewed import View
from serving.runtime.snapshot import Snapshot
from tests.builders import relations
from tests.builders.kok_items import kok_item

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)


def recipe(number: int) -> Recipe:
    return Recipe(number, f"요리 {number}", None, None, None, None, None, 0, None, ())


def item(number: int, ingredient: str) -> KokItem:
    return kok_item(number, ingredient, relations.product(number, ingredient, ingredients=(ingredient,)))


def test_recent_views_weigh_more_than_old_ones() -> None:
    rows = {"감자": [0, 1], "양파": [2], "김치": [3], "쌀": [4], "두부": [5], "무": [6]}
    postings = {name: np.array(positions, np.int32) for name, positions in rows.items()}
    popular = tuple(recipe(number) for number in range(7))
    snapshot = Snapshot(
        kok=KokCatalog(items={number: item(number, name) for number, name in enumerate(postings)}),
        recipes=RecipeBook(popular=popular, postings=postings),
    )
    viewed = [View(ProductRef(KOK, number), NOW) for number in range(len(postings))]
    found = [entry.item.recipe_id for entry in recommend_recipes(snapshot, viewed, 10, NOW).items]
    assert found == [0, 2, 3, 4, 5, 1, 6], "the second best of the last view comes before the best of five views ago"
    assert [entry.item.recipe_id for entry in recommend_recipes(snapshot, viewed[::-1], 10, NOW).items][:2] == [6, 5]
