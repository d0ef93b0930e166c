"""Neighbour tables of a catalog small enough to check by hand."""

import numpy as np
import pytest
from pipelines.release.food_products import FoodProduct

from pipelines.release.tables import Items, product_recipes, recipe_products, similar_products
from recommender.models.neighbours import BY_TEXT
from recommender.models.recipe_corpus import corpus_of

RECIPES = [
    (1, "감자조림", ("감자", "간장", "설탕")),
    (2, "감자조림", ("감자", "간장", "물엿")),
    (3, "카레라이스", ("양파", "당근", "감자", "카레가루")),
    (4, "양파장아찌", ("양파", "간장", "식초")),
    (5, "두부조림", ("두부", "간장", "대파")),
]
PRODUCTS = [
    FoodProduct("hmall", 11, "햇감자 5kg", is_ingredient=True, ingredients=("감자",), popularity=0),
    FoodProduct("kok", 21, "수미 감자 3kg", is_ingredient=True, ingredients=("감자",), popularity=5),
    FoodProduct("kok", 22, "포슬 감자 1kg", is_ingredient=True, ingredients=("감자",), popularity=900),
    FoodProduct("kok", 23, "감자칩", is_ingredient=False, ingredients=("감자",), popularity=9_000),
    FoodProduct("kok", 24, "양조간장 1L", is_ingredient=True, ingredients=("간장",), popularity=1),
    FoodProduct("kok", 25, "두부조림 반찬", is_ingredient=False, ingredients=(), popularity=0),
]


@pytest.fixture
def items() -> Items:
    corpus = corpus_of(
        [(recipe_id, title, 0.0) for recipe_id, title, _ in RECIPES],
        [(recipe_id, name) for recipe_id, _, names in RECIPES for name in names],
    )
    names = tuple(sorted({name for _, _, basket in RECIPES for name in basket}))
    # Texts are orthogonal, except that the side dish equals the fifth recipe.
    texts = np.eye(len(RECIPES) + len(PRODUCTS), dtype=np.float32)
    texts[len(RECIPES) + 5] = texts[4]
    return Items(corpus, PRODUCTS, names, texts[: len(RECIPES)], texts[len(RECIPES) :])


def test_recipes_named_after_the_ingredient_come_first(items: Items) -> None:
    found = product_recipes(items).of_row(0, 10)
    titles = [items.corpus.titles[row] for row, _, _ in found]
    assert titles == ["감자조림", "카레라이스"]  # each title once, though two recipes have it
    assert {items.names[reason] for _, _, reason in found} == {"감자"}


def test_a_product_without_an_ingredient_gets_recipes_by_text(items: Items) -> None:
    best = product_recipes(items).of_row(5, 1)[0]
    assert items.corpus.titles[best[0]] == "두부조림"
    assert best[2] == BY_TEXT


def test_the_best_product_of_each_ingredient_comes_first(items: Items) -> None:
    found = recipe_products(items).of_row(0, 10)
    assert [items.products[row].product_id for row, _, _ in found[:3]] == [22, 24, 21]
    assert items.products[found[-1][0]].product_id != 23  # the snack comes after raw potatoes, and three are enough


def test_similar_products_share_ingredient_and_kind(items: Items) -> None:
    found = [items.products[row].product_id for row, _, _ in similar_products(items, frozenset({"kok"})).of_row(0, 10)]
    assert set(found) == {21, 22, 23}
    assert found[-1] == 23
    back = similar_products(items, frozenset({"hmall"}))
    assert [items.products[row].product_id for row, _, _ in back.of_row(1, 10)] == [11]
    assert back.of_row(0, 10) == []  # never itself


def test_no_products_make_empty_tables(items: Items) -> None:
    bare = Items(items.corpus, [], items.names, items.recipe_texts, items.product_texts[:0])
    assert product_recipes(bare).rows.shape[0] == 0
    assert recipe_products(bare).of_row(0, 5) == []
