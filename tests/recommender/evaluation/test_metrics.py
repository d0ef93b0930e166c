import numpy as np
import pytest

from recommender.evaluation.leave_one_out import LeaveOneOut, leave_one_out
from recommender.evaluation.metrics import hit_difference, ranking_figures, ranks_of
from recommender.models.recipe_corpus import corpus_of
from recommender.rankers.cases import Cases, basket_matrix
from tests.builders.recipe_corpus import kitchen


def test_ranks_leave_given_items_out_and_share_ties() -> None:
    cases = Cases(basket_matrix([[0], [1]], 4), ("", ""))
    scores = np.array([[9, 3, 2, 1], [1, 9, 1, 1]], dtype=np.float32)
    assert ranks_of(scores, LeaveOneOut(cases, np.array([2, 3]))).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_have_no_rank(value: float) -> None:
    cases = Cases(basket_matrix([[0], [1]], 3), ("", ""))
    scores = np.array([[3, 2, 1], [1, 2, value]], dtype=np.float32)
    with pytest.raises(ValueError, match="scores of 1 of 2 cases are not finite, the first in row 1"):
        ranks_of(scores, LeaveOneOut(cases, np.array([2, 2])))


def test_figures_of_known_ranks() -> None:
    figures = ranking_figures(np.array([1.0, 10.0, 11.0, 60.0]))
    assert figures.model_dump() == {
        "hit@10": 0.5,
        "hit@50": 0.75,
        "mrr": pytest.approx((1 + 1 / 10 + 1 / 11 + 1 / 60) / 4),
    }


def test_the_comparison_is_paired_and_has_an_interval() -> None:
    ours = np.array([1.0] * 80 + [99.0] * 20)
    same = hit_difference(ours, ours)
    assert (same.hit_at_10, same.low, same.high) == (0.0, 0.0, 0.0)
    better = hit_difference(ours, np.array([99.0] * 100))
    assert better.hit_at_10 == pytest.approx(0.8)
    assert 0.7 < better.low < 0.8 < better.high < 0.9


def test_one_ingredient_of_each_long_enough_recipe_is_hidden() -> None:
    corpus = corpus_of(
        [(1, "긴", 0.0), (2, "짧은", 0.0)], [(1, name) for name in "가나다라마"] + [(2, name) for name in "가나다"]
    )
    hidden = leave_one_out(corpus, tuple("가나다라마"))
    assert len(hidden) == 1
    assert set(hidden.cases.given[[0]].indices.tolist()) | {int(hidden.items[0])} == {0, 1, 2, 3, 4}
    assert hidden.cases.titles == ("긴",)
    every = leave_one_out(corpus, tuple("가나다라마"), every=True)
    assert sorted(every.items.tolist()) == [0, 1, 2, 3, 4]


def test_unknown_ingredients_are_not_hidden() -> None:
    corpus = corpus_of([(1, "국", 0.0)], [(1, name) for name in "가나다라마"])
    assert len(leave_one_out(corpus, tuple("가나다"))) == 0


def test_evenly_spaced_cases_come_from_all_of_them() -> None:
    corpus = kitchen(60)
    hidden = leave_one_out(corpus, corpus.frequent_ingredients(), every=True)
    few = hidden.evenly_spaced(20)
    step = -(-len(hidden) // 20)
    assert 10 < len(few) <= 20
    assert few.items.tolist() == hidden.items.tolist()[::step]
    assert few.cases.titles == hidden.cases.titles[::step]
    assert np.array_equal(few.cases.given.toarray(), hidden.cases.given.toarray()[::step])
    assert len(hidden.evenly_spaced(10**6)) == len(hidden)
