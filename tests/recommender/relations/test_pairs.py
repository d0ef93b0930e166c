"""Pairs of queries and candidates."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.relations import nearest
from recommender.relations.nearest import NearestTitles
from recommender.relations.pairs import candidate_pairs, given_pairs, shared


@dataclass(frozen=True)
class Rows:
    """Rows with three kinds of vectors."""

    chars: sp.csr_array
    words: sp.csr_array
    vectors: NDArray[np.float32]


def rows(chars: list[list[float]], words: list[list[float]], vectors: list[list[float]]) -> Rows:
    return Rows(_sparse(chars), _sparse(words), np.array(vectors, np.float32))


def _sparse(values: list[list[float]]) -> sp.csr_array:
    return sp.csr_array(np.array(values, np.float32))


NONE = np.zeros(0, np.int32)
QUERY = rows([[1, 0]], [[1, 0]], [[1, 0]])
# Similar by letters, by words, by vector, by nothing, by less of everything.
TARGETS = rows(
    [[1, 0], [0, 1], [0, 1], [0, 1], [0.5, 0]],
    [[0, 1], [1, 0], [0, 1], [0, 1], [0.5, 0]],
    [[0, 1], [0, 1], [1, 0], [-1, 0], [0.5, 0]],
)


@pytest.fixture(autouse=True)
def _one_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BY_CHARS", "BY_WORDS", "BY_VECTOR"):
        monkeypatch.setattr(nearest, name, 1)


def test_the_nearest_by_each_similarity_are_candidates() -> None:
    found = candidate_pairs(QUERY, NearestTitles(TARGETS), [NONE])
    assert (found.queries.tolist(), found.targets.tolist()) == ([0, 0, 0], [0, 1, 2])
    assert found.columns()["chars"].tolist() == [1, 0, 0]
    assert found.columns()["words"].tolist() == [0, 1, 0]
    assert found.columns()["vectors"].tolist() == [0, 0, 1]


def test_named_targets_are_candidates_whatever_their_title() -> None:
    assert candidate_pairs(QUERY, NearestTitles(TARGETS), [np.array([3, 3, 0], np.int32)]).targets.tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_a_target_that_shares_nothing_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BY_CHARS", "BY_WORDS", "BY_VECTOR"):
        monkeypatch.setattr(nearest, name, 9)
    assert candidate_pairs(QUERY, NearestTitles(TARGETS), [NONE]).targets.tolist() == [0, 1, 2, 4]


def test_given_pairs_have_the_values_of_candidates() -> None:
    chance = np.random.default_rng(3)
    left, right = (
        Rows(
            sp.random_array((size, 9), density=0.5, rng=chance, dtype=np.float32).tocsr(),
            sp.random_array((size, 9), density=0.5, rng=chance, dtype=np.float32).tocsr(),
            chance.normal(size=(size, 4)).astype(np.float32),
        )
        for size in (4, 7)
    )
    found = candidate_pairs(left, NearestTitles(right), [np.arange(7, dtype=np.int32)] * 4)
    given = given_pairs(left, right, found.queries, found.targets)
    assert len(found.queries) == 28
    assert np.array_equal(given.queries, found.queries)
    for name, values in found.columns().items():
        assert np.allclose(given.columns()[name], values, atol=1e-6), name


def test_shared_is_the_inner_product_of_each_pair() -> None:
    left = sp.csr_array(np.array([[1, 2], [0, 3]], np.float32))
    right = sp.csr_array(np.array([[1, 1], [5, 0]], np.float32))
    assert shared(left, right, np.array([0, 0, 1]), np.array([0, 1, 1])).tolist() == [3, 5, 0]


def test_no_queries_make_no_pairs() -> None:
    nothing = np.zeros((0, 2), np.float32)
    empty = Rows(sp.csr_array(nothing), sp.csr_array(nothing), nothing)
    assert len(candidate_pairs(empty, NearestTitles(TARGETS), []).queries) == 0
    assert len(candidate_pairs(QUERY, NearestTitles(empty), [NONE]).targets) == 0
