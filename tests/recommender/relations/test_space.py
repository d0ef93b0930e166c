"""Products and recipes as rows."""

import numpy as np
import pytest

from recommender.relations.facts import ProductFacts
from recommender.relations.space import (
    KINDS,
    MANY_REVIEWS,
    UNKNOWN,
    ProductMatrix,
    RecipeMatrix,
    item_number,
    kind_columns,
    main_values,
)
from recommender.text.title_words import Kind
from tests.builders.relations import WIDTH, product, recipe, space_of

POTATO = product(1, "햇감자 선물세트 3kg", ingredients=("감자", "양파"), reviews=MANY_REVIEWS)
SOUP = product(2, "갈비탕 700g", kind=Kind.READY, types=("갈비탕", "밀키트"), recipes=0.25)
RECIPES = (
    recipe(1, "감자국", ("감자", "양파"), named=("감자",), popularity=4.0),
    recipe(2, "갈비탕 끓이기", ("양파", "무", "감자", "대파"), types=("갈비탕",), popularity=1.0),
)
SPACE = space_of([POTATO, SOUP], RECIPES)


def rows(*products: ProductFacts) -> ProductMatrix:
    return SPACE.products(products)


def test_a_product_is_known_by_its_head_and_main_ingredient() -> None:
    found = rows(POTATO, SOUP)
    types, names = SPACE.types, SPACE.names
    assert [types.names[head] for head in found.heads] == ["감자", "갈비탕"]
    assert names[found.mains[0]] == "감자"
    assert found.mains[1] == UNKNOWN
    assert [KINDS[kind] for kind in found.kinds] == [Kind.INGREDIENT, Kind.READY]
    assert found.types.toarray().sum(axis=1).tolist() == [1, 2]
    assert found.ingredients.toarray().sum(axis=1).tolist() == [2, 0]


def test_shelf_and_department_follow_the_head() -> None:
    found = rows(POTATO, SOUP, product(3, "양파", types=("감자",)))
    assert found.shelves[0] == found.shelves[2] != found.shelves[1]
    assert found.departments[0] == found.departments[2] != found.departments[1]
    assert UNKNOWN not in {*found.shelves.tolist(), *found.departments.tolist()}


def test_unknown_types_and_ingredients_are_left_out() -> None:
    found = rows(product(3, "새것", types=("모르는 것", "감자"), ingredients=("모르는 것", "양파")))
    assert (found.heads[0], found.shelves[0], found.departments[0]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert SPACE.names[found.mains[0]] == "양파"
    assert (found.types.nnz, found.ingredients.nnz) == (1, 1)


def test_a_product_without_any_type_is_unknown() -> None:
    found = rows(product(3, "나눔세트", types=()))
    assert (found.heads[0], found.shelves[0], found.departments[0], found.mains[0]) == (UNKNOWN,) * 4


def test_popularity_is_scaled_by_the_logarithm() -> None:
    found = rows(POTATO, SOUP)
    assert found.popularity[0] == pytest.approx(1.0)
    assert found.popularity[1] == 0.0
    assert (found.recipes.tolist(), found.gifts.tolist()) == ([1.0, 0.25], [1, 0])


def test_listings_of_an_item_have_its_number_everywhere() -> None:
    first, second = (POTATO._replace(ref=POTATO.ref._replace(product_id=n), item_id="kok:7") for n in (7, 8))
    assert item_number(first) == item_number(second) == item_number(product(7, "감자"))
    assert len({*rows(first, second, POTATO, SOUP).items.tolist()}) == 3


def test_recipes_of_one_title_have_the_same_number() -> None:
    found = SPACE.recipes([RECIPES[0], recipe(9, "[초간단] 감자국", ("양파",)), RECIPES[1]])
    assert found.items[0] == found.items[1] != found.items[2]


def test_an_ingredient_of_the_title_is_most_important() -> None:
    found = SPACE.recipes(RECIPES).importance.toarray()
    potato, onion = SPACE.names.index("감자"), SPACE.names.index("양파")
    assert found[0, potato] == pytest.approx(1.0 + 0.5 + 0.3 / 2**0.5)
    assert found[0, onion] == pytest.approx(0.25 + 0.3 / 2**0.5)
    assert found[1, onion] == pytest.approx(0.5 + 0.15), "first of four, but not in the title"
    assert found[1, onion] > found[1, potato] > 0
    assert found[0, SPACE.names.index("무")] == 0


def test_popularity_of_recipes_is_relative_to_the_most_popular() -> None:
    assert SPACE.recipes(RECIPES).popularity.tolist() == [1.0, 0.25]
    assert SPACE.recipes([recipe(1, "감자국", ("감자",))]).popularity.tolist() == [0.0]


def test_a_recipe_is_known_by_its_dish() -> None:
    found = SPACE.recipes(RECIPES)
    assert found.heads.tolist() == [UNKNOWN, SPACE.types.numbers["갈비탕"]]
    assert found.named.toarray()[0].nonzero()[0].tolist() == [SPACE.names.index("감자")]


def test_rows_are_taken_in_order() -> None:
    products, recipes = rows(POTATO, SOUP), SPACE.recipes(RECIPES)
    assert products.take(np.array([1, 0])).kinds.tolist() == products.kinds[::-1].tolist()
    assert len(products.take(slice(1, 2))) == 1
    assert recipes.take(np.array([1])).items.tolist() == recipes.items[1:].tolist()


def test_no_rows_have_the_same_width() -> None:
    products, recipes = SPACE.products([]), SPACE.recipes([])
    assert isinstance(recipes, RecipeMatrix)
    assert (len(products), len(recipes)) == (0, 0)
    assert products.vectors.shape == recipes.vectors.shape == (0, WIDTH)
    assert products.ingredients.shape == (0, len(SPACE.names))


def test_nonfood_is_of_no_kind_that_is_weighed() -> None:
    columns = kind_columns(np.array([KINDS.index(kind) for kind in (Kind.DRINK, Kind.NONFOOD)], np.int32))
    assert {name for name, values in columns.items() if values[0]} == {"is_drink"}
    assert not any(values[1] for values in columns.values())


def test_the_value_of_the_main_ingredient_is_read() -> None:
    values = SPACE.recipes(RECIPES).importance
    potato = SPACE.names.index("감자")
    found = main_values(np.array([potato, UNKNOWN], np.int32), values)
    assert found.tolist() == [values.toarray()[0, potato], 0.0]
