"""Rankers: probabilities, thresholds and their file."""

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.ranker import Ranker, Weights, read_rankers, to_toml
from recommender.relations.relation import Relation
from recommender.relations.similar_products import SimilarProducts

NAMES = ("chars", "words")
RANKER = Ranker(
    learnt_from="four pairs",
    threshold=0.4,
    acceptable=Weights(bias=-1.0, features={"words": 2.0}),
    good=Weights(bias=0.0, features={"chars": 1.0, "unknown": 9.0}),
)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_weights_are_found_by_feature_name() -> None:
    values = np.array([[3.0, 1.0]], np.float32)
    assert RANKER.acceptable.probability(NAMES, values)[0] == pytest.approx(sigmoid(2.0 - 1.0))
    assert RANKER.acceptable.probability(NAMES[::-1], values)[0] == pytest.approx(sigmoid(6.0 - 1.0))


def test_the_score_is_the_expected_gain() -> None:
    score = RANKER.score(NAMES, np.array([[3.0, 1.0]], np.float32))[0]
    assert score == pytest.approx(sigmoid(1.0) + 2 * sigmoid(3.0))


def test_a_pair_below_the_threshold_has_no_score() -> None:
    scores = RANKER.score(NAMES, np.array([[9.0, 0.0], [9.0, 0.4]], np.float32))
    assert scores[0] == -np.inf
    assert np.isfinite(scores[1])


def test_rankers_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "rankers.toml"
    rankers = dict.fromkeys(Relation, RANKER)
    path.write_text(to_toml(rankers), encoding="utf-8")
    assert read_rankers(path).rankers == rankers


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("threshold = 0.4", "", "threshold"),
        ("threshold = 0.4", "threshold = 0.4\nlimit = 1", "limit"),
        ("[similar_products]", "[similar_things]", "similar_things"),
        ("words = 2.000", 'words = "much"', "words"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "rankers.toml"
    text = to_toml({Relation.SIMILAR_PRODUCTS: RANKER})
    assert before in text
    changed = text.replace(before, after)
    path.write_text(changed.replace("[similar_products.", "[similar_things.") if "things" in after else changed)
    with pytest.raises(ValidationError, match=message):
        read_rankers(path)


@pytest.mark.parametrize("relation", Relation)
def test_the_shipped_weights_name_features_that_exist(relation: Relation) -> None:
    ranker = read_rankers()[relation]
    candidates = ProductRecipes if relation is Relation.PRODUCT_RECIPES else SimilarProducts
    for part in (ranker.acceptable, ranker.good):
        assert set(part.features) == set(candidates.feature_names)
    assert 0 < ranker.threshold < 1
    assert ranker.learnt_from
