"""Candidates of the relations and the features of pairs that are made by hand."""

import numpy as np
import pytest

from recommender.relations import nearest, product_recipes, similar_products
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.similar_products import SimilarProducts
from recommender.text.title_words import Kind
from tests.builders.relations import items_of, product, recipe

POTATO = product(1, "햇감자 선물", ingredients=("감자", "양파"))
OTHER_POTATO = product(2, "수미감자 선물", ingredients=("감자",), reviews=3000)
ONION = product(3, "무안양파", ingredients=("양파",))
SOUP = product(4, "왕갈비탕", kind=Kind.READY, types=("갈비탕",), recipes=0.25)
STEW = product(5, "육개장", kind=Kind.READY, types=("육개장",), recipes=0.25)
ODD = product(6, "abc", kind=Kind.DRINK, types=(), recipes=0.0)
PRODUCTS = (POTATO, OTHER_POTATO, ONION, SOUP, STEW, ODD)
RECIPES = (
    recipe(1, "버섯볶음", ("감자", "양파", "버섯"), popularity=2.0),
    recipe(2, "감자볶음", ("감자", "간장"), named=("감자",), popularity=1.0),
    recipe(3, "양지 국물", ("대파",), types=("갈비탕",)),
    recipe(4, "두부 부침", ("두부",)),
)
ITEMS = items_of(PRODUCTS, RECIPES)
ROWS = ITEMS.product_rows


@pytest.fixture
def _few_near_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BY_CHARS", "BY_WORDS", "BY_VECTOR"):
        monkeypatch.setattr(nearest, name, 1)


def similar(query: int, target: int) -> dict[str, float]:
    relation = SimilarProducts(ROWS)
    found = relation.features(ROWS, relation.pairs(ROWS, np.array([query]), np.array([target])))
    return dict(zip(relation.feature_names, found[0].tolist(), strict=True))


def cooked(query: int, target: int) -> dict[str, float]:
    relation = ProductRecipes(ITEMS.recipe_rows)
    found = relation.features(ROWS, relation.pairs(ROWS, np.array([query]), np.array([target])))
    return dict(zip(relation.feature_names, found[0].tolist(), strict=True))


def test_products_of_one_type_are_alike() -> None:
    found = similar(0, 1)
    names = ("same_type", "types_shared", "same_shelf", "same_department", "same_main", "main_listed", "same_kind")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 1.0)
    assert (found["ingredients_shared"], found["both_gifts"]) == (0.5, 1.0)
    assert found["popularity"] == pytest.approx(1.0)
    assert (found["is_ingredient"], found["is_ready"], found["other_department"]) == (1.0, 0.0, 0.0)
    assert found["chars_of_type"] == found["chars_of_shelf"] == found["chars"] > 0


def test_products_of_one_shelf_are_not_of_one_type() -> None:
    found = similar(3, 4)
    assert (found["same_type"], found["types_shared"], found["chars_of_type"]) == (0.0, 0.0, 0.0)
    assert (found["same_shelf"], found["same_department"], found["is_ready"]) == (1.0, 1.0, 1.0)


def test_products_of_other_departments_are_marked() -> None:
    found = similar(0, 3)
    assert (found["other_department"], found["same_department"], found["same_kind"]) == (1.0, 0.0, 0.0)


def test_what_is_unknown_is_the_same_as_nothing() -> None:
    found = similar(5, 5)
    assert (found["unknown_query"], found["unknown_target"], found["is_drink"]) == (1.0, 1.0, 1.0)
    names = ("same_type", "same_shelf", "same_department", "other_department", "same_main", "main_listed")
    assert [found[name] for name in names] == [0.0] * 6
    assert similar(0, 5)["other_department"] == 0.0


def test_the_main_ingredient_may_be_listed_second() -> None:
    assert (similar(2, 0)["main_listed"], similar(2, 0)["same_main"]) == (1.0, 0.0)
    assert similar(0, 2)["main_listed"] == 0.0


@pytest.mark.usefixtures("_few_near_titles")
def test_products_of_type_shelf_and_main_are_candidates() -> None:
    relation = SimilarProducts(ROWS)
    found = relation.candidates(ROWS)
    targets = [set(found.targets[found.queries == row].tolist()) for row in range(len(PRODUCTS))]
    assert targets[0] >= {0, 1, 2}, "of the type, and onions of the same shelf"
    assert targets[3] >= {3, 4}
    assert targets[5] == {5}
    assert not targets[0] & {3, 4}


@pytest.mark.usefixtures("_few_near_titles")
def test_a_main_ingredient_makes_a_candidate() -> None:
    rows = ITEMS.space.products([product(7, "모둠", types=(), ingredients=("감자",))])
    assert {0, 1} <= set(SimilarProducts(ROWS).candidates(rows).targets.tolist())


@pytest.mark.usefixtures("_few_near_titles")
def test_the_most_popular_of_a_shelf_are_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OF_TYPE", "OF_SHELF", "OF_MAIN"):
        monkeypatch.setattr(similar_products, name, 1)
    rows = ITEMS.space.products([product(7, "xyz", types=("감자",))])
    assert SimilarProducts(ROWS).candidates(rows).targets.tolist() == [1]


def test_what_is_cooked_with_is_weighed_apart() -> None:
    found = cooked(0, 1)
    importance = 1.0 + 0.5 + 0.3 / 2**0.5
    assert (found["cooked"], found["no_ingredient"]) == (1.0, 0.0)
    assert (found["cooked_main"], found["cooked_named"], found["cooked_dish"]) == (1.0, 1.0, 0.0)
    assert found["cooked_importance"] == pytest.approx(importance)
    assert (found["cooked_other"], found["cooked_others"], found["cooked_popularity"]) == (0.0, 0.0, 0.5)
    assert not any(value for name, value in found.items() if name.startswith("finished_"))


def test_further_ingredients_count_beside_the_main_one() -> None:
    found = cooked(0, 0)
    assert (found["cooked_main"], found["cooked_others"], found["cooked_named"]) == (1.0, 1.0, 0.0)
    onion = cooked(2, 1)
    assert (onion["cooked_main"], onion["cooked_importance"], onion["cooked_others"]) == (0.0, 0.0, 0.0)


def test_another_ingredient_than_the_main_one_is_marked() -> None:
    query = ITEMS.space.products([product(7, "모둠", ingredients=("두부", "양파"))])
    relation = ProductRecipes(ITEMS.recipe_rows)
    values = relation.features(query, relation.pairs(query, np.array([0]), np.array([0])))[0]
    found = dict(zip(relation.feature_names, values.tolist(), strict=True))
    assert (found["cooked_main"], found["cooked_other"], found["cooked_others"]) == (0.0, 1.0, 1.0)


def test_a_finished_product_shares_its_dish() -> None:
    found = cooked(3, 2)
    assert (found["finished_dish"], found["cooked_dish"]) == (0.75, 0.25)
    assert (found["no_ingredient"], found["is_ready"]) == (1.0, 1.0)
    assert cooked(5, 3)["finished_dish"] == 0.0, "a product and a recipe without a dish share none"


@pytest.mark.usefixtures("_few_near_titles")
def test_recipes_of_ingredient_and_dish_are_candidates() -> None:
    found = ProductRecipes(ITEMS.recipe_rows).candidates(ROWS)
    targets = [set(found.targets[found.queries == row].tolist()) for row in range(len(PRODUCTS))]
    assert targets[0] >= {0, 1}
    assert 2 in targets[3]
    assert 3 not in targets[0]


@pytest.mark.usefixtures("_few_near_titles")
def test_the_recipes_most_about_an_ingredient_are_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_recipes, "OF_INGREDIENT", 1)
    rows = ITEMS.space.products([product(7, "xyz", ingredients=("감자",))])
    assert ProductRecipes(ITEMS.recipe_rows).candidates(rows).targets.tolist() == [1]


def test_food_is_no_answer_to_what_nobody_eats() -> None:
    shampoo = product(7, "수미감자 선물 샴푸", kind=Kind.NONFOOD, recipes=0.0)
    tablets = product(8, "수미감자 선물 정제", kind=Kind.SUPPLEMENT, ingredients=("감자",), recipes=0.0)
    rows = items_of((*PRODUCTS, shampoo, tablets), RECIPES).product_rows
    alike = SimilarProducts(rows).candidates(rows)
    pairs = set(zip(alike.queries.tolist(), alike.targets.tolist(), strict=True))
    assert {pair for pair in pairs if (6 in pair)} == {(6, 6)}
    assert (1, 7) in pairs
    asked = set(ProductRecipes(ITEMS.recipe_rows).candidates(rows).queries.tolist())
    assert {0, 1} <= asked
    assert not asked & {6, 7}


def test_no_recipe_is_looked_for_where_nobody_cooks() -> None:
    sweets = product(7, "감자 사탕", kind=Kind.SNACK, ingredients=("감자",), recipes=0.0)
    jerky = product(8, "감자 말랭이", kind=Kind.SNACK, ingredients=("감자",), recipes=0.02)
    found = ProductRecipes(ITEMS.recipe_rows).candidates(ITEMS.space.products([sweets, jerky]))
    assert set(found.queries.tolist()) == {1}
