"""Substitutes of an ingredient."""

import numpy as np

from recommender.models.baskets import Baskets
from recommender.rankers.substitutes import find_substitutes

TOFU, GARLIC, SOFT_TOFU, OKRA = range(4)
# Cosines with tofu of 1, 0.95, 0.9 and 0.99.
VECTORS = np.array([[c, np.sqrt(1 - c * c)] for c in (1, 0.95, 0.9, 0.99)], np.float32)


def test_complements_come_after_substitutes() -> None:
    stews = [[TOFU, GARLIC]] * 20 + [[SOFT_TOFU]] * 20 + [[OKRA]] * 60
    found = find_substitutes(TOFU, VECTORS, Baskets.of(stews))
    assert [number for number, _ in found] == [OKRA, SOFT_TOFU, GARLIC]
    assert np.allclose([cosine for _, cosine in found], [0.99, 0.9, 0.95]), "cosines are not reduced"


def test_a_rare_ingredient_of_many_recipes_is_left_out() -> None:
    few = [[TOFU], [GARLIC], [SOFT_TOFU], [OKRA]]
    assert [number for number, _ in find_substitutes(TOFU, VECTORS, Baskets.of(few))] == [OKRA, GARLIC, SOFT_TOFU]
    many = [[OKRA]] + few[:3] * 400
    assert [number for number, _ in find_substitutes(TOFU, VECTORS, Baskets.of(many))] == [GARLIC, SOFT_TOFU]


def test_an_ingredient_without_a_vector_has_no_substitutes() -> None:
    vectors = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    baskets = Baskets.of([[0, 1], [1, 2]])
    assert [find_substitutes(number, vectors, baskets) for number in range(3)] == [[], [], []]
