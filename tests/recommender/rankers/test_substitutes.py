"""What may stand in for an ingredient."""

import numpy as np

from recommender.models.baskets import Baskets
from recommender.rankers import substitutes

TOFU, GARLIC, SOFT_TOFU, OKRA = range(4)
# Cosines with tofu of 1, 0.95, 0.9 and 0.99.
VECTORS = np.array([[c, np.sqrt(1 - c * c)] for c in (1, 0.95, 0.9, 0.99)], np.float32)


def test_what_is_cooked_with_an_ingredient_comes_after_what_takes_its_place() -> None:
    stews = [[TOFU, GARLIC]] * 20 + [[SOFT_TOFU]] * 20 + [[OKRA]] * 60
    found = substitutes.find(TOFU, VECTORS, Baskets.of(stews))
    assert [number for number, _ in found] == [OKRA, SOFT_TOFU, GARLIC]
    assert np.allclose([cosine for _, cosine in found], [0.99, 0.9, 0.95]), "told as it is"


def test_what_hardly_any_of_many_recipes_holds_is_left_out_and_in_few_recipes_nothing_is() -> None:
    few = [[TOFU], [GARLIC], [SOFT_TOFU], [OKRA]]
    assert [number for number, _ in substitutes.find(TOFU, VECTORS, Baskets.of(few))] == [OKRA, GARLIC, SOFT_TOFU]
    many = [[OKRA]] + few[:3] * 400
    assert [number for number, _ in substitutes.find(TOFU, VECTORS, Baskets.of(many))] == [GARLIC, SOFT_TOFU]


def test_what_nothing_is_known_of_has_no_substitutes_and_is_none() -> None:
    vectors = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    baskets = Baskets.of([[0, 1], [1, 2]])
    assert [substitutes.find(number, vectors, baskets) for number in range(3)] == [[], [], []]
