"""The contract of every ranker."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.train.blend import DEFAULT_WEIGHTS
from pipelines.train.word2vec import Word2VecParameters, fit
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.metrics import ranks_of
from recommender.rankers.bert import NearestByText, recipe_vectors
from recommender.rankers.blend import Blend, fit_rankers, standardised
from recommender.rankers.cases import Cases, Ranker, basket_matrix
from recommender.rankers.config import BlendConfig, TitleFeaturesConfig
from recommender.rankers.item_knn import fit_cooccurrence, fit_popularity
from recommender.rankers.named import NamedInTitle
from recommender.rankers.ngrams import fit_title_features
from recommender.rankers.word2vec import Word2Vec
from tests.builders.recipe_corpus import encode_letters, kitchen


class _BlendRanker:
    """A blend with the interface of a ranker."""

    def __init__(self, blend: Blend) -> None:
        self._blend = blend

    def scores(self, cases: Cases) -> NDArray[np.float32]:
        return self._blend.batch(cases)


CORPUS = kitchen(400)
TRAIN = CORPUS.train()
NAMES = TRAIN.frequent_ingredients()
HIDDEN = leave_one_out(CORPUS.test(), NAMES)


def _rankers() -> dict[str, Ranker]:
    config = BlendConfig()
    rankers = fit_rankers(TRAIN, NAMES, fit(TRAIN, Word2VecParameters(dimensions=16, words=300_000)), config)
    baskets = rankers.nearest.baskets
    texts = recipe_vectors(encode_letters, TRAIN.titles, TRAIN.baskets)
    return {
        **rankers.by_name(),
        "popularity": fit_popularity(baskets),
        "cooccurrence": fit_cooccurrence(baskets),
        "bert": NearestByText(encode_letters, NAMES, texts, baskets),
        "blend": _BlendRanker(Blend(NAMES, rankers, DEFAULT_WEIGHTS, config)),
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
        Cases(basket_matrix([], len(NAMES)), ()),
        Cases(basket_matrix([[]], len(NAMES)), ("",)),
        Cases(basket_matrix([[]], len(NAMES)), ("🍣 모르는 말",)),
        Cases(basket_matrix([list(range(len(NAMES)))], len(NAMES)), ("김치찌개",)),
    ],
    ids=["no case", "nothing given", "unknown title", "everything given"],
)
def test_odd_cases_have_finite_scores(ranker: Ranker, cases: Cases) -> None:
    scores = ranker.scores(cases)
    assert scores.shape == (len(cases), len(NAMES))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", sorted(RANKERS.keys() - {"popularity", "named"}))
def test_the_pattern_is_ranked_higher_than_by_popularity(name: str) -> None:
    popular = ranks_of(RANKERS["popularity"].scores(HIDDEN.cases), HIDDEN)
    assert (1 / ranks_of(RANKERS[name].scores(HIDDEN.cases), HIDDEN)).mean() > (1 / popular).mean()


def test_an_ingredient_in_the_title_comes_first() -> None:
    ranker = NamedInTitle(("파", "돼지고기(목살)", "생크림"))
    titles = ("돼지 고기 김치찌개", "크림 파스타", "")
    scores = ranker.scores(Cases(basket_matrix([[], [], []], 3), titles))
    assert scores.tolist() == [[0, 4, 0], [1, 0, 0], [0, 0, 0]]


def test_an_item_without_a_vector_never_comes_first() -> None:
    inputs = np.array([[1.0], [1.0], [0.0]], dtype=np.float32)
    outputs = np.array([[-2.0], [-1.0], [0.0]], dtype=np.float32)
    scores = Word2Vec(inputs, outputs).scores(Cases(basket_matrix([[0]], 3), ("",)))
    assert scores[0].argmax() == 1


def test_standardised_rows_ignore_what_is_given() -> None:
    cases = Cases(basket_matrix([[0], []], 4), ("", ""))
    scores = standardised(np.array([[99, 1, 2, 3], [5, 5, 5, 5]], dtype=np.float32), cases)
    assert scores[0, 1:].mean() == pytest.approx(0, abs=1e-6)
    assert scores[0, 1:].std() == pytest.approx(1, abs=1e-5)
    assert (scores[1] == 0).all()


def test_ngrams_mark_the_edges_of_words() -> None:
    features = fit_title_features(["국", "국"], TitleFeaturesConfig(min_titles=1))
    assert set(features.grams) == {" ", "국", " 국", "국 ", " 국 "}
    assert fit_title_features(["", ""], TitleFeaturesConfig(min_titles=1)).grams == ()


def test_the_most_frequent_ngrams_are_features() -> None:
    titles = ["김치찌개", "김치전", "된장찌개", "김치"]
    features = fit_title_features(titles, TitleFeaturesConfig(max_features=2))
    assert features.grams == (" ", " 김")
    assert features.idf == pytest.approx([np.log(5 / 5) + 1, np.log(5 / 4) + 1], abs=1e-6)


def test_title_features_have_length_one_or_none() -> None:
    features = fit_title_features(["김치찌개", "김치전", "된장찌개"], TitleFeaturesConfig(max_features=50))
    rows = features.transform(["김치볶음밥", "", "🍣"])
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    assert lengths[0] == pytest.approx(1, abs=1e-5)
    assert lengths[1] == 0
    assert features.transform([]).shape == (0, len(features.grams))
