"""Ranking of candidates."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.relations import rank as module
from recommender.relations.pairs import Pairs
from recommender.relations.rank import Scored, rank
from recommender.relations.ranker import Ranker
from recommender.relations.space import ProductMatrix
from tests.builders.relations import items_of, product, ranker

NOBODY = -1


class Fixed:
    """Every target is a candidate, with the only feature "value"."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = np.array(values, np.float32)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return ("value",)

    def candidates(self, queries: ProductMatrix) -> Pairs:
        rows, columns = np.nonzero(np.ones((len(queries), len(self.values))))
        return self.pairs(queries, rows, columns)

    def pairs(self, queries: ProductMatrix, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
        return Pairs(rows, columns, *(np.zeros(len(rows), np.float32),) * 3)

    def features(self, queries: ProductMatrix, pairs: Pairs) -> NDArray[np.float32]:
        return self.values[pairs.targets][:, None]


def queries(count: int = 1) -> ProductMatrix:
    return items_of([product(number, "감자") for number in range(count)], []).product_rows


def ranked(
    values: Sequence[float], one: Ranker, k: int = 9, items: Sequence[int] = (), own: Sequence[int] = (NOBODY,)
) -> list[list[Scored]]:
    numbers = np.array(items or range(len(values)), np.int64)
    return list(rank(Fixed(values), one, queries(len(own)), k, items=numbers, own=np.array(own, np.int64)))


def rows(values: Sequence[float], one: Ranker, items: Sequence[int] = (), own: Sequence[int] = (NOBODY,)) -> list[int]:
    return [found.row for found in ranked(values, one, items=items, own=own)[0]]


def test_the_best_come_first_with_falling_scores() -> None:
    (found,) = ranked([0.1, 3.0, -1.0, 2.0], ranker(value=1.0))
    assert [each.row for each in found] == [1, 3, 0, 2]
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_targets_below_the_threshold_are_not_shown() -> None:
    assert rows([0.1, 3.0, -1.0, 2.0], ranker(0.5, value=1.0)) == [1, 3, 0]
    assert rows([0.1, 3.0, -1.0, 2.0], ranker(0.99, value=1.0)) == []


def test_at_most_k_are_shown() -> None:
    assert [each.row for each in ranked([1, 2, 3], ranker(value=1.0), 2)[0]] == [2, 1]


def test_one_listing_of_each_item_is_shown() -> None:
    assert rows([1, 3, 2, 0], ranker(value=1.0), items=[7, 7, 8, 8]) == [1, 2]
    assert [each.row for each in ranked([4, 3, 2, 1], ranker(value=1.0), 2, [7, 7, 8, 9])[0]] == [0, 2]


def test_the_own_item_is_left_out() -> None:
    assert rows([1, 3, 2], ranker(value=1.0), items=[7, 7, 8], own=[7]) == [2]


def test_equal_scores_are_ordered_by_row() -> None:
    assert rows([1, 2, 1, 2, 1], ranker(value=1.0)) == [1, 3, 0, 2, 4]


def test_differences_of_the_last_bits_decide_nothing() -> None:
    assert rows([1.0, 1.0 + 1e-6, 1.0 - 1e-6], ranker(value=1.0)) == [0, 1, 2]


def test_queries_of_several_chunks_each_have_their_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    found = ranked([1, 3, 2], ranker(value=1.0), 9, (), [1, 2, NOBODY, 0, 1])
    assert [[each.row for each in one] for one in found] == [[2, 0], [1, 0], [1, 2, 0], [1, 2], [2, 0]]


def test_no_queries_and_no_targets_make_no_lists() -> None:
    assert ranked([1.0], ranker(value=1.0), own=()) == []
    assert ranked([], ranker(value=1.0)) == [[]]
