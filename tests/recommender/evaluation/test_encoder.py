"""The comparison with letters: who is ahead, by how much, and whether that is beyond chance."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.evaluation.encoder import (
    MIN_CASES,
    JudgedQuery,
    by_encoder,
    by_letters,
    compare,
    fit_title_ridge,
    joined,
    judged,
    same_label,
    searchable_lists,
    title_search,
)
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.rankers.word2vec import unit
from tests.builders.recipe_corpus import kitchen


def constant(texts: Sequence[str]) -> NDArray[np.float32]:
    return unit(np.ones((len(texts), 3), np.float32))


def by_number(texts: Sequence[str]) -> NDArray[np.float32]:
    """Texts with the same number at their end are the same."""
    return np.array([np.eye(200)[int(text.split()[-1])] for text in texts], dtype=np.float32)


def numbered(recipes: int) -> RecipeCorpus:
    lines = [(n, f"{letter} {n}") for n in range(recipes) for letter in "가나다라"]
    return corpus_of([(n, f"{chr(0xAC00 + n)} {n}", 0.0) for n in range(recipes)], lines)


def test_a_perfect_encoder_is_ahead_and_used() -> None:
    methods = {"letters": by_encoder(constant), "untrained": by_encoder(constant), "encoder": by_encoder(by_number)}
    comparison = compare(title_search(numbered(60)), "mrr", methods)
    assert (comparison.cases, comparison.metric) == (60, "mrr")
    assert comparison.methods["encoder"] == 1
    assert comparison.methods["letters"] == pytest.approx(1 / 30.5)
    assert comparison.against_letters["encoder"].low > 0.9
    assert comparison.uses_encoder


@pytest.mark.parametrize("recipes", [60, MIN_CASES - 1])
def test_an_encoder_that_adds_nothing_is_not_used(recipes: int) -> None:
    better = constant if recipes == 60 else by_number
    methods = {"letters": by_encoder(constant), "untrained": by_encoder(constant), "encoder": by_encoder(better)}
    assert not compare(title_search(numbered(recipes)), "mrr", methods).uses_encoder


def test_without_cases_nothing_is_compared() -> None:
    methods = dict.fromkeys(("letters", "untrained", "encoder"), by_encoder(constant))
    for task in (title_search(numbered(0)), same_label([("감자", "채소")]), judged([JudgedQuery("무", ("배",), (0,))])):
        comparison = compare(task, "mrr", methods)
        assert (comparison.cases, comparison.methods, comparison.uses_encoder) == (0, {}, False)


def test_a_rival_is_measured_alone_and_joined() -> None:
    data = kitchen(300)
    lists = searchable_lists(data.test())
    ridge = fit_title_ridge(data.train()).similarity({t: data.test().baskets[row] for t, row in lists.items()})
    methods = dict.fromkeys(("letters", "untrained", "encoder"), by_encoder(constant))
    comparison = compare(title_search(data.test()), "mrr", methods, {"ridge": ridge})
    assert comparison.methods["ridge"] > 2 * comparison.methods["letters"]
    assert comparison.methods["ridge + encoder"] == pytest.approx(comparison.methods["ridge"], abs=0.05)


def test_neighbours_of_the_same_label_are_counted() -> None:
    labelled = [(f"{mood} {label}", label) for label in ("감자조림", "양파절임") for mood in "가나다라마바"]
    labelled.append(("무청", "드문"))
    letters = by_letters([title for title, _ in labelled])
    assert same_label(labelled)(letters).tolist() == [1.0] * 12
    mixed = same_label(labelled)(by_encoder(constant))
    assert mixed.mean() < 0.9


def test_judged_candidates_are_ranked_by_gain() -> None:
    letters = by_letters(["감자", "감자 칩", "양파", "두부"])
    best = JudgedQuery("감자", ("감자 칩", "양파", "두부"), (2, 0, 0))
    worst = JudgedQuery("감자", ("감자 칩", "양파", "두부"), (0, 2, 0))
    hopeless = JudgedQuery("감자", ("양파",), (0,))
    assert judged([best, worst, hopeless])(letters) == pytest.approx([1.0, 1 / np.log2(3)])


def test_joined_similarities_are_added() -> None:
    one, other = by_encoder(constant), by_letters(["감자", "양파"])
    both = joined(one, other)(["감자"], ["감자", "양파"])
    assert both == pytest.approx(1 + other(["감자"], ["감자", "양파"]), abs=1e-5)
    assert both[0, 0] > both[0, 1] + 0.5
