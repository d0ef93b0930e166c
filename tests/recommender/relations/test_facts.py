"""What is known of products, in columns and of ingredients."""

import pytest

from recommender.relations.facts import TYPES_LENGTH, as_product, join_types, kind_of, split_types
from recommender.text.title_words import Kind


@pytest.mark.parametrize(
    ("kind", "is_food", "is_ingredient", "expected"),
    [
        ("snack", True, False, Kind.SNACK),
        ("supplement", False, False, Kind.SUPPLEMENT),
        (None, True, True, Kind.INGREDIENT),
        (None, True, False, Kind.READY),
        (None, False, False, Kind.NONFOOD),
    ],
)
def test_a_kind_that_is_not_resolved_yet_is_guessed(
    kind: str | None, is_food: bool, is_ingredient: bool, expected: Kind
) -> None:
    assert kind_of(kind, is_food=is_food, is_ingredient=is_ingredient) is expected


def test_types_survive_their_column() -> None:
    assert split_types(join_types(("갈비탕", "밀키트"))) == ("갈비탕", "밀키트")
    assert join_types(()) is None
    assert split_types(None) == split_types("") == ()


def test_types_that_do_not_fit_their_column_are_left_out() -> None:
    types = tuple(f"{number:02}{'가' * 58}" for number in range(6))
    joined = join_types(types)
    assert joined
    assert len(joined) <= TYPES_LENGTH
    assert split_types(joined) == types[:4]


def test_an_ingredient_is_asked_for_like_a_product_of_it() -> None:
    asked = as_product("대파", "대파 한 단", "대파 단")
    assert (asked.kind, asked.types, asked.ingredients, asked.recipes) == (Kind.INGREDIENT, ("대파",), ("대파",), 1.0)
    assert (asked.title, asked.tokens) == ("대파 한 단", "대파 단")
