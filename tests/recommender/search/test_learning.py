"""Weights are learnt from judged answers."""

import numpy as np
import pytest

from recommender.search.learning import AGAINST, JudgedQuery, evaluate, learn
from recommender.search.weights import FEATURES, Weights, load_weights

RNG = np.random.default_rng(5)


def judged(n: int) -> JudgedQuery:
    """A query whose right answers have the key word, and whose wrong ones are alike by letters and a taste."""
    features = np.zeros((n, len(FEATURES)), np.float32)
    right = np.arange(n) % 2 == 0
    features[:, FEATURES.index("bias")] = 1
    features[right, FEATURES.index("key_whole")] = 1
    features[~right, FEATURES.index("key_taste")] = 1
    features[:, FEATURES.index("letters")] = RNG.random(n)
    grades = np.where(right, 2, 0)
    return JudgedQuery(features, grades, grades.tolist())


def test_agreement_counts_for_a_document_and_disagreement_not() -> None:
    queries = [judged(12) for _ in range(10)]
    weights, figures = learn(queries)
    assert weights.relevance["key_whole"] > 0 > weights.relevance["key_taste"]
    assert figures.ndcg == pytest.approx(1)
    assert figures.wrong == figures.unjudged == 0
    assert learn(queries)[0] == weights, "the same again"


def test_what_nobody_graded_counts_neither_way() -> None:
    query = judged(4)
    unknown = query._replace(candidate_grades=np.full(4, -1))
    everything = Weights({}, {"letters": 1.0}, -1.0, 1.0)
    assert evaluate([(unknown, everything)]).unjudged == 1
    assert evaluate([(query, everything)]).wrong == 0.5


def test_a_few_queries_teach_nothing() -> None:
    with pytest.raises(ValueError, match="too few to learn from"):
        learn([])


def test_kept_weights_have_the_signs_that_make_sense() -> None:
    for weights in (load_weights("products"), load_weights("recipes")):
        assert weights.relevance.keys() == set(FEATURES)
        assert all(weights.relevance[name] <= 0 for name in AGAINST)
        assert weights.relevance["letters"] > 0


def test_answers_far_below_the_best_or_the_threshold_are_not_shown() -> None:
    features = np.zeros((3, len(FEATURES)), np.float32)
    features[:, FEATURES.index("key")] = [1.0, 3.0, 9.0]
    weights = Weights({"key": 1.0}, {}, 2.0, 7.0)
    assert weights.rank(features).tolist() == [2, 1]
    assert Weights({"key": 1.0}, {}, 2.0, 5.0).rank(features).tolist() == [2]
    assert Weights({"key": 1.0}, {}, 10.0, 5.0).rank(features).tolist() == []
    assert weights.rank(features[:0]).tolist() == []
