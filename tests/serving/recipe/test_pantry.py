"""Combinations of recipes that use up a stock, on recipes made by hand."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.text.quantities import Quantity
from serving.catalog.pantry import Pantry, combine

UNKNOWN = Quantity(None, None)
# Title -> grams of each ingredient, None where it is not said.
Recipes = Mapping[str, Mapping[str, float | None]]


def pantry(recipes: Recipes) -> Pantry:
    needs = [[(name, Quantity(amount, None)) for name, amount in wanted.items()] for wanted in recipes.values()]
    return Pantry.of(list(recipes), needs)


def grams(**stock: float | None) -> dict[str, Quantity]:
    return {name: Quantity(amount, None) for name, amount in stock.items()}


def titles(recipes: Recipes, stock: Mapping[str, Quantity], size: int = 5, number: int = 1) -> list[str]:
    return [list(recipes)[position] for position in combine(pantry(recipes), stock, size, number).recipes]


def test_the_amount_in_stock_decides_between_large_and_small() -> None:
    recipes = {"감자볶음": {"감자": 50.0}, "감자탕": {"감자": 1000.0}}
    assert titles(recipes, grams(감자=2000), size=1) == ["감자탕"]
    assert titles(recipes, grams(감자=60), size=1) == ["감자볶음"]


def test_using_up_the_stock_beats_touching_more_ingredients() -> None:
    recipes = {
        "고명": {"감자": 5.0, "양파": 5.0, "두부": 5.0},
        "감자전": {"감자": 500.0, "양파": 300.0},
        "두부구이": {"두부": 300.0},
    }
    stock = grams(감자=500, 양파=300, 두부=300)
    assert titles(recipes, stock, size=2) == ["감자전", "두부구이"]


def test_what_a_recipe_takes_is_gone_for_the_next_one() -> None:
    recipes = {
        "감자 양파 볶음": {"감자": 400.0, "양파": 400.0},
        "감자 양파 조림": {"감자": 390.0, "양파": 390.0},
        "돼지고기 구이": {"돼지고기": 300.0, "마늘": 10.0},
    }
    stock = grams(감자=400, 양파=400, 돼지고기=300)
    assert titles(recipes, stock, size=2) == ["감자 양파 볶음", "돼지고기 구이"]
    assert titles(recipes, grams(감자=4000, 양파=4000, 돼지고기=300), size=2)[1] != "돼지고기 구이"


def test_a_combination_ends_when_the_stock_is_used_up() -> None:
    recipes = {"탕": {"감자": 500.0}, "전": {"감자": 500.0}, "국": {"감자": 500.0}}
    assert titles(recipes, grams(감자=500)) == ["탕"]
    assert titles(recipes, grams(감자=1000)) == ["탕", "전"]
    assert titles(recipes, grams(감자=None)) == ["탕", "전", "국"], "nobody knows when that is used up"


def test_a_rare_ingredient_counts_more_than_salt() -> None:
    salted: Recipes = {f"찬 {n}": {"소금": 5.0, f"나물 {n}": 50.0} for n in range(20)}
    recipes = {"소금구이": {"소금": 5.0, "김": 5.0}, "송이구이": {"송이버섯": 5.0, "김": 5.0}, **salted}
    assert titles(recipes, grams(소금=5, 송이버섯=5), size=1) == ["송이구이"]


def test_fewer_other_ingredients_come_first_then_popularity() -> None:
    recipes = {"잔치": {"감자": 100.0, "갈비": 500.0}, "감자찜": {"감자": 100.0}, "감자국": {"감자": 100.0}}
    assert titles(recipes, grams(감자=1000)) == ["감자찜", "감자국", "잔치"]


@pytest.mark.parametrize("count", range(2, 40))
def test_the_most_popular_of_any_number_of_equals_comes_first(count: int) -> None:
    needs = dict.fromkeys(["감자", "양파", "두부", "소금", "마늘", "대파", "간장"])
    book = {f"요리 {n}": needs for n in range(count)}
    assert titles(book, grams(**needs), size=1) == ["요리 0"]


def test_using_several_ingredients_beats_using_one() -> None:
    recipes = {"감자찜": {"감자": 100.0, "물": 100.0}, "감자양파찜": {"감자": 100.0, "양파": 100.0, "물": 100.0}}
    assert titles(recipes, grams(감자=200, 양파=200), size=1) == ["감자양파찜"]


def test_an_unknown_need_is_the_median_one() -> None:
    recipes: Recipes = {"간": {"소금": None}, "절임": {"소금": 250.0}, "국": {"소금": 2.0}, "찜": {"소금": 2.0}}
    assert titles(recipes, grams(소금=500), size=1) == ["절임"]
    assert titles(recipes, grams(소금=500), size=4)[1] == "간", "no less than the others, and first by popularity"


def test_pieces_are_compared_with_pieces() -> None:
    needs = [[("용과", Quantity(None, 1))], [("용과", Quantity(None, 4))], [("용과", Quantity(100, None))]]
    fruit = Pantry.of(["하나", "넷", "백"], needs)
    assert combine(fruit, {"용과": Quantity(None, 4)}, 1, 1).recipes == (1,)
    assert combine(fruit, {"용과": Quantity(None, 1)}, 1, 1).recipes == (0,)


def test_three_combinations_share_no_recipe_and_no_title() -> None:
    needs = [[("감자", Quantity(100, None))]] * 8
    book = Pantry.of(["찜", "찜", "국", "전", "탕", "죽", "면", "떡"], needs)
    found = [combine(book, grams(감자=None), 2, number) for number in (1, 2, 3, 4)]
    assert [combination.recipes for combination in found] == [(0, 2), (3, 4), (5, 6), ()]
    assert [combination.has_more for combination in found] == [True, True, False, False]
    assert {combination.total for combination in found} == {8}
    assert [combine(book, grams(감자=None), 4, number).has_more for number in (1, 2)] == [True, False]


def test_an_unused_ingredient_or_an_empty_book_gives_nothing() -> None:
    assert combine(pantry({"국": {"무": 100.0}}), grams(용과=100), 5, 1) == ((), 0, False)
    assert combine(pantry({"국": {"무": 100.0}}), {}, 5, 1) == ((), 0, False)
    assert combine(pantry({"물": {}}), grams(용과=100), 5, 1) == ((), 0, False)
    assert combine(Pantry.of((), ()), grams(무=100), 5, 1) == ((), 0, False)


def test_an_ingredient_listed_twice_is_needed_twice() -> None:
    once = [("감자", Quantity(300, None))]
    twice = Pantry.of(["한 번", "두 번"], [once, once * 2])
    assert combine(twice, grams(감자=600), 1, 1).recipes == (1,)
    assert twice.recipes.tolist() == [0, 1]


NAMES = ["감자", "양파", "두부", "소금"]
AMOUNTS = st.one_of(st.none(), st.floats(1, 2000), st.sampled_from([1e-300, 1e-9, 1e9]))
BOOKS = st.lists(st.dictionaries(st.sampled_from(NAMES), AMOUNTS, min_size=1), min_size=1, max_size=30)
STOCKS = st.dictionaries(st.sampled_from(NAMES), AMOUNTS, min_size=1)


@given(BOOKS, STOCKS, st.integers(1, 6))
def test_combinations_are_sound_and_independent_of_the_shortlist(
    book: list[dict[str, float | None]], stock: dict[str, float | None], size: int
) -> None:
    recipes = {f"요리 {n}": needs for n, needs in enumerate(book)}
    there = {name: Quantity(amount, None) for name, amount in stock.items()}
    found = [combine(pantry(recipes), there, size, number) for number in (1, 2, 3)]
    using = {n for n, needs in enumerate(book) if needs.keys() & stock.keys()}
    taken = [position for combination in found for position in combination.recipes]
    assert len(taken) == len(set(taken))
    assert set(taken) <= using
    assert all(len(combination.recipes) <= size and combination.total == len(using) for combination in found)
    assert [bool(combination.recipes) for combination in found[1:]] == [c.has_more for c in found[:-1]]
    assert [combine(pantry(recipes), there, size, number, shortlist=2) for number in (1, 2, 3)] == found


def test_unknown_needs_are_filled_by_ingredient_and_by_unit() -> None:
    needs = [[("무", Quantity(g, p))] for g, p in ((100, None), (None, 2), (None, None), (300, None))]
    filled = Pantry.of(list("가나다라"), needs).needs
    assert np.array_equal(filled, [[100, 2], [200, 2], [200, 2], [300, 2]])
