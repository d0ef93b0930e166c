"""The unit table, and how much of an ingredient an amount is."""

import pytest

from recommender.text.ingredients import canonical_name
from recommender.text.quantities import WEIGHTS, Quantity, add_quantities, quantity
from recommender.text.units import UNITS, find_unit

GRAMS = [
    ("감자", 1.5, "kg", 1500),
    ("감자", 300, "g", 300),
    ("감자", 1, "KG", 1000),
    ("물", 1, "L", 1000),
    ("물", 2, "컵", 400),
    ("물", 1, "종이컵", 180),
    ("물", 1, "큰술", 15),
    ("물", 1, "큰 술", 15),
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
    ("식빵", 2, "장", 80),
    ("팽이버섯", 1, "봉지", 150),
    ("계란", 30, "구", 1500),
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


def test_what_has_no_usual_weight_is_counted_in_pieces() -> None:
    assert quantity("용과", 2, "개") == quantity("용과", 2, "알") == (None, 2)


def test_a_unit_of_no_known_size_is_unknown() -> None:
    unknown = (None, None)
    assert quantity("용과", 2, "봉") == quantity("감자", 2, "토막") == quantity("감자", None, "g") == unknown
    assert quantity("감자", 2, "바구니") == unknown


def test_a_sum_of_quantities_ignores_what_is_unknown() -> None:
    unknown = Quantity(None, None)
    assert add_quantities(Quantity(100, None), Quantity(50, None)) == (150, None)
    assert add_quantities(Quantity(100, None), unknown) == add_quantities(unknown, Quantity(100, None)) == (100, None)


def test_weights_are_of_ingredients_by_their_canonical_names() -> None:
    names = WEIGHTS.grams.keys() | WEIGHTS.densities.keys()
    assert len(WEIGHTS.grams) >= 60
    assert {name for name in names if canonical_name(name) != name} == set()
    assert all(0 < grams <= 5000 for weights in WEIGHTS.grams.values() for grams in weights.values())
    assert all(0.1 < density < 2 for density in WEIGHTS.densities.values())


def test_every_unit_of_the_table_is_well_formed() -> None:
    for spelling, unit in UNITS.items():
        assert find_unit(spelling) == unit
        assert (unit.size is not None) == (unit.sort in {"gram", "millilitre", "day"}), spelling
        assert unit.sort in {"gram", "millilitre", "day", "whole", "part", "length", "label"}
        assert unit.rank in {"", "measure", "piece", "pack", "box"}
        if unit.rank == "measure":
            assert unit.sort in {"gram", "millilitre"}


def test_case_distinguishes_only_tablespoons_and_teaspoons() -> None:
    spellings = {"T": "큰술", "t": "작은술", "Tbsp": "큰술", "TSP": "작은술", "KG": "kg", "Cup": "컵"}
    for spelling, name in spellings.items():
        unit = find_unit(spelling)
        assert unit is not None
        assert unit.name == name
