"""Amounts of recipes: how people write them, and how much they are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender.text.ingredients import canonical_name
from recommender.text.kitchen_amounts import LARGEST, parse_amount, read_measure, read_number
from recommender.text.units import MEASURES, Quantity, quantity, together

SPELLINGS = [
    ("2", 2, None),
    ("1/2", 0.5, None),
    ("1 1/2", 1.5, None),
    ("½", 0.5, None),
    ("1½", 1.5, None),
    ("1⅓", 4 / 3, None),
    ("2와 1/2", 2.5, None),
    ("1과1/2큰술", 1.5, "큰술"),
    ("1 / 2", 0.5, None),
    ("1~2", 2, None),
    ("1-2", 2, None),
    ("1/2 ~ 1", 1, None),
    ("3〜4개", 4, "개"),
    ("1.5", 1.5, None),
    (".5", 0.5, None),
    ("1,000", 1000, None),
    ("반", 0.5, None),
    ("반 개", 0.5, "개"),
    ("반모", 0.5, "모"),
    ("한 개", 1, "개"),
    ("한줌", 1, "줌"),
    ("두 줄기", 2, "줄기"),
    ("1개 반", 1.5, "개"),
    ("200g", 200, "g"),
    ("75g(3/4모)", 75, "g"),
    ("(등심, 120g)", 120, "g"),
    ("100g한입", 100, "g"),
    ("2큰술씩", 2, "큰술"),
    ("1T", 1, "T"),
    ("1t", 1, "t"),
    ("２００ｇ", 200, "g"),
    ("１／２", 0.5, None),
    ("500㎖", 500, "ml"),
    ("3개월", 3, None),
]
NO_AMOUNTS = [
    "약간",
    "",
    None,
    "1/0",
    "0",
    "0.0",
    "적당량",
    "-",
    "두부",
    "한우",
    "세발나물",
    "반찬",
    "/4",
    "8801234567890",
    "9" * 400,
    "1/" + "9" * 400,
]


@pytest.mark.parametrize(("written", "number", "unit"), SPELLINGS)
def test_amounts_are_read_as_people_write_them(written: str, number: float, unit: str | None) -> None:
    assert parse_amount(written) == pytest.approx(number)
    assert read_measure(written, None).unit == unit


@pytest.mark.parametrize("written", NO_AMOUNTS)
def test_what_says_no_amount_has_none(written: str | None) -> None:
    assert read_measure(written, "개") == (None, "개")


def test_a_unit_that_stands_apart_counts_unless_the_amount_has_its_own() -> None:
    assert read_measure("1/2", "개") == (0.5, "개")
    assert read_measure("200g", "개") == (200, "g")


PIECES = st.sampled_from(
    ["1", "2/3", "½", "반", "한", "~", "-", " ", "g", "개", "큰술", "와", ",", ".", "９", "(", "0", "/"]
)


@given(st.one_of(st.none(), st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)))
@example("9" * 5000)
@example("1" + " " * 5000)
@example("0." + "0" * 400 + "1")
def test_any_text_gives_an_amount_above_0_that_a_kitchen_knows_or_none(written: str | None) -> None:
    number = parse_amount(written)
    assert number is None or 0 < number <= LARGEST
    if number is not None:
        for unit in (None, "g", "개", "컵", "?"):
            assert all(part is None or part > 0 for part in quantity("감자", number, unit))


@given(st.integers(1, 999), st.integers(1, 9), st.integers(1, 9))
def test_a_mixed_number_is_its_whole_and_its_fraction(whole: int, numerator: int, denominator: int) -> None:
    expected = whole + numerator / denominator
    for joined in (" ", "와 ", "과"):
        assert parse_amount(f"{whole}{joined}{numerator}/{denominator}") == pytest.approx(expected)


def test_a_number_alone_is_told_from_a_text_that_holds_one() -> None:
    assert (read_number("1 1/2"), read_number("½"), read_number("1,000")) == (1.5, 0.5, 1000)
    assert [read_number(text) for text in ("2g", "x2", "2x", "-1", "nan", "0", "")] == [None] * 7


GRAMS = [
    ("감자", 1.5, "kg", 1500),
    ("감자", 300, "g", 300),
    ("감자", 1, "KG", 1000),
    ("물", 1, "L", 1000),
    ("물", 2, "컵", 400),
    ("물", 1, "종이컵", 180),
    ("물", 1, "큰술", 15),
    ("물", 1, "T", 15),
    ("물", 1, "스푼", 15),
    ("물", 1, "작은술", 5),
    ("물", 1, "t", 5),
    ("물", 100, "㎖", 100),
    ("밀가루", 1, "컵", 110),
    ("소금", 2, "꼬집", 2),
    ("상추", 1, "줌", 50),
    ("양파", 2, "개", 400),
    ("마늘", 3, "쪽", 15),
    ("마늘", 1, "통", 40),
    ("두부", 0.5, "모", 150),
    ("밥", 1, "공기", 210),
    ("양파", 1, None, 200),
    ("물", 500, None, 500),
]


@pytest.mark.parametrize(("ingredient", "number", "unit", "grams"), GRAMS)
def test_units_are_grams_where_that_means_something(
    ingredient: str, number: float, unit: str | None, grams: float
) -> None:
    found = quantity(ingredient, number, unit)
    assert found.grams == pytest.approx(grams)
    assert found.pieces is None


def test_what_has_no_usual_weight_is_counted_and_what_no_unit_tells_is_unknown() -> None:
    assert quantity("용과", 2, "개") == quantity("용과", 2, "알") == (None, 2)
    assert quantity("용과", 2, "봉") == quantity("감자", 2, "토막") == quantity("감자", None, "g") == (None, None)


def test_two_quantities_together_are_as_much_as_is_known_of_them() -> None:
    unknown = Quantity(None, None)
    assert together(Quantity(100, None), Quantity(50, None)) == (150, None)
    assert together(Quantity(100, None), unknown) == together(unknown, Quantity(100, None)) == (100, None)


def test_usual_weights_are_of_ingredients_by_their_canonical_names() -> None:
    names = MEASURES.weights.keys() | MEASURES.densities.keys()
    assert len(MEASURES.weights) >= 60
    assert {name for name in names if canonical_name(name) != name} == set()
    assert all(0 < grams <= 5000 for weights in MEASURES.weights.values() for grams in weights.values())
    assert all(0.1 < density < 2 for density in MEASURES.densities.values())
