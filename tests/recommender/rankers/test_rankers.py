"""What every ranker must do, whatever it is made of."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.release.evaluate import EVEN, hide, parts_of, ranks_of
from pipelines.train.word2vec import Word2VecParameters, fit
from recommender.rankers.bert import NearestByText, recipe_vectors
from recommender.rankers.blend import Blend, standardised
from recommender.rankers.cases import Cases, Ranker, baskets_of
from recommender.rankers.item_knn import cooccurrence, popularity
from recommender.rankers.ngrams import ngrams, title_features
from recommender.rankers.word2vec import Word2Vec, unit
from tests.builders.recipe_corpus import kitchen


class _Whole:
    """A blend, asked as a ranker."""

    def __init__(self, blend: Blend) -> None:
        self._blend = blend

    def scores(self, cases: Cases) -> NDArray[np.float32]:
        return self._blend.batch(cases)


def _letters(texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text:
            vectors[row, ord(letter) % 256] += 1
    return unit(vectors)


CORPUS = kitchen(400)
TRAIN = CORPUS.train()
NAMES = TRAIN.usual_names()
HIDDEN = hide(CORPUS.test(), NAMES)


def _rankers() -> dict[str, Ranker]:
    learnt = fit(TRAIN, Word2VecParameters(dimensions=16, words=300_000))
    vectors = dict(zip(learnt.names, zip(learnt.inputs, learnt.outputs, strict=True), strict=True))
    parts = parts_of(TRAIN, NAMES, vectors)
    baskets = parts.nearest.baskets
    texts = recipe_vectors(_letters, TRAIN.titles, TRAIN.baskets)
    return {
        **parts.named(),
        "popularity": popularity(baskets),
        "cooccurrence": cooccurrence(baskets),
        "bert": NearestByText(_letters, NAMES, texts, baskets),
        "blend": _Whole(Blend(NAMES, parts, EVEN)),
    }


RANKERS = _rankers()


@pytest.fixture(params=sorted(RANKERS))
def ranker(request: pytest.FixtureRequest) -> Ranker:
    return RANKERS[request.param]


def test_scores_are_finite_and_one_per_item(ranker: Ranker) -> None:
    scores = ranker.scores(HIDDEN.cases)
    assert scores.shape == (len(HIDDEN), len(NAMES))
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_asking_twice_gives_the_same_and_changes_nothing(ranker: Ranker) -> None:
    before = HIDDEN.cases.given.toarray()
    first, second = ranker.scores(HIDDEN.cases), ranker.scores(HIDDEN.cases)
    assert np.array_equal(first, second)
    assert np.array_equal(before, HIDDEN.cases.given.toarray())


def test_a_case_is_scored_alone_as_among_others(ranker: Ranker) -> None:
    among = ranker.scores(HIDDEN.cases)
    for row in (0, len(HIDDEN) - 1):
        assert ranker.scores(HIDDEN.cases.rows(row, row + 1))[0] == pytest.approx(among[row], abs=1e-4)


@pytest.mark.parametrize(
    "cases",
    [
        Cases(baskets_of([], len(NAMES)), ()),
        Cases(baskets_of([[]], len(NAMES)), ("",)),
        Cases(baskets_of([[]], len(NAMES)), ("🍣 모르는 말",)),
        Cases(baskets_of([list(range(len(NAMES)))], len(NAMES)), ("김치찌개",)),
    ],
    ids=["no case", "nothing given", "unknown title", "everything given"],
)
def test_odd_cases_have_finite_scores(ranker: Ranker, cases: Cases) -> None:
    scores = ranker.scores(cases)
    assert scores.shape == (len(cases), len(NAMES))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", sorted(RANKERS.keys() - {"popularity"}))
def test_the_pattern_is_found_better_than_by_popularity(name: str) -> None:
    popular = ranks_of(RANKERS["popularity"].scores(HIDDEN.cases), HIDDEN)
    assert (1 / ranks_of(RANKERS[name].scores(HIDDEN.cases), HIDDEN)).mean() > (1 / popular).mean()


def test_an_item_without_a_vector_never_comes_first() -> None:
    inputs = np.array([[1.0], [1.0], [0.0]], dtype=np.float32)
    outputs = np.array([[-2.0], [-1.0], [0.0]], dtype=np.float32)
    scores = Word2Vec(inputs, outputs).scores(Cases(baskets_of([[0]], 3), ("",)))
    assert scores[0].argmax() == 1


def test_standardised_rows_ignore_what_is_given() -> None:
    cases = Cases(baskets_of([[0], []], 4), ("", ""))
    scores = standardised(np.array([[99, 1, 2, 3], [5, 5, 5, 5]], dtype=np.float32), cases)
    assert scores[0, 1:].mean() == pytest.approx(0, abs=1e-6)
    assert scores[0, 1:].std() == pytest.approx(1, abs=1e-5)
    assert (scores[1] == 0).all()


def test_ngrams_mark_the_edges_of_words() -> None:
    assert list(ngrams("국")) == [" ", "국", " ", " 국", "국 ", " 국 "]
    assert list(ngrams("")) == []


def test_title_features_have_length_one_and_know_only_what_they_saw() -> None:
    features = title_features(["김치찌개", "김치전", "된장찌개"], at_most=50)
    rows = features.transform(["김치볶음밥", "", "🍣"])
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    assert lengths[0] == pytest.approx(1, abs=1e-5)
    assert lengths[1] == 0
    assert features.grams == title_features(["김치찌개", "김치전", "된장찌개"], at_most=50).grams
