"""Neighbour tables of a catalog small enough to check by hand."""

from collections.abc import Sequence

import pytest

from pipelines.release.items import Items
from pipelines.release.tables import product_recipes, recipe_products, similar_products
from recommender.models.neighbours import BY_TEXT
from recommender.relations.facts import ProductFacts
from recommender.relations.ranker import Ranker
from recommender.text.title_words import Kind
from tests.builders.relations import items_of, product, ranker, recipe

MALL, SHOWN = frozenset({"kok"}), frozenset({"hmall"})
RECIPES = [
    recipe(1, "감자조림", ("감자", "간장", "설탕")),
    recipe(2, "감자조림", ("감자", "간장", "물엿")),
    recipe(3, "카레라이스", ("양파", "당근", "감자", "카레가루")),
    recipe(4, "양파장아찌", ("양파", "간장", "식초")),
    recipe(5, "두부조림", ("두부", "간장", "대파")),
]
FRESH = product(11, "햇감자 5kg", source="hmall", ingredients=("감자",))
SMALL = product(21, "수미 감자 3kg", ingredients=("감자",), reviews=5)
LOVED = product(22, "포슬 감자 1kg", ingredients=("감자",), reviews=900)
CRISPS = product(23, "감자칩", kind=Kind.SNACK, types=("감자칩",), recipes=0.0, reviews=9_000)
SOY = product(24, "양조간장 1L", ingredients=("간장",), reviews=1)
SIDE_DISH = product(25, "두부조림 반찬", kind=Kind.READY, types=("두부조림",), recipes=0.4)
PRODUCTS = [FRESH, SMALL, LOVED, CRISPS, SOY, SIDE_DISH]
SAME_MAIN = ranker(0.5, bias=-5.0, same_main=10.0, popularity=2.0)
WITH_MAIN = ranker(0.5, bias=-3.0, cooked_importance=10.0)


@pytest.fixture
def by_main() -> Items:
    return items_of(PRODUCTS, RECIPES, SAME_MAIN)


def with_ranker(products: Sequence[ProductFacts], one: Ranker) -> Items:
    return items_of(products, RECIPES, one)


def ids(items: Items, rows: Sequence[tuple[int, float, int]]) -> list[int]:
    return [items.products[row].ref.product_id for row, _, _ in rows]


def test_recipes_about_the_ingredient_come_first() -> None:
    items = with_ranker(PRODUCTS, WITH_MAIN)
    found = product_recipes(items).of_row(0, 10)
    assert [items.recipes[row].title for row, _, _ in found] == ["감자조림", "카레라이스"]
    assert {items.space.names[reason] for _, _, reason in found} == {"감자"}


def test_recipes_of_one_title_are_shown_once() -> None:
    items = with_ranker(PRODUCTS, WITH_MAIN)
    assert [items.recipes[row].recipe_id for row, _, _ in product_recipes(items).of_row(0, 10)] == [1, 3]


def test_a_product_below_the_threshold_has_no_recipe() -> None:
    items = with_ranker(PRODUCTS, WITH_MAIN)
    assert product_recipes(items).of_row(PRODUCTS.index(CRISPS), 10) == []


def test_a_recipe_without_the_ingredient_is_found_by_text() -> None:
    items = with_ranker(PRODUCTS, ranker(0.5, bias=-2.0, finished_chars=20.0))
    row, _, reason = product_recipes(items).of_row(PRODUCTS.index(SIDE_DISH), 1)[0]
    assert (items.recipes[row].title, reason) == ("두부조림", BY_TEXT)


def test_similar_products_are_those_of_the_source(by_main: Items) -> None:
    of_mall, of_shows = similar_products(by_main, MALL), similar_products(by_main, SHOWN)
    assert ids(by_main, of_mall.of_row(0, 10)) == [22, 21]
    assert ids(by_main, of_shows.of_row(1, 10)) == [11]
    assert {by_main.space.names[reason] for _, _, reason in of_mall.of_row(0, 10)} == {"감자"}


def test_a_product_is_never_similar_to_itself(by_main: Items) -> None:
    assert ids(by_main, similar_products(by_main, MALL).of_row(1, 10)) == [22]
    assert similar_products(by_main, SHOWN).of_row(0, 10) == []


def test_listings_of_the_same_item_are_left_out() -> None:
    twin = LOVED._replace(ref=LOVED.ref._replace(product_id=26), reviews=3, item_id="kok:22")
    linked = [FRESH, SMALL, LOVED._replace(item_id="kok:22"), twin]
    items = with_ranker(linked, SAME_MAIN)
    table = similar_products(items, MALL)
    assert ids(items, table.of_row(0, 10)) == [22, 21], "of two listings the better one"
    assert ids(items, table.of_row(2, 10)) == ids(items, table.of_row(3, 10)) == [21]


def test_the_most_important_ingredient_is_bought_first(by_main: Items) -> None:
    found = recipe_products(by_main).of_row(0, 10)
    assert ids(by_main, found)[:3] == [22, 24, 21], "the best of each ingredient, then the second best"
    assert [by_main.space.names[reason] for _, _, reason in found[:2]] == ["감자", "간장"]
    assert 23 not in ids(by_main, found)


def test_no_products_make_empty_tables() -> None:
    bare = with_ranker([], WITH_MAIN)
    assert product_recipes(bare).rows.shape[0] == 0
    assert similar_products(bare, MALL).rows.shape[0] == 0
    assert recipe_products(bare).of_row(0, 5) == []


def test_no_recipes_make_empty_tables() -> None:
    bare = items_of(PRODUCTS, [], SAME_MAIN)
    assert recipe_products(bare).rows.shape[0] == 0
    assert product_recipes(bare).of_row(0, 5) == []
