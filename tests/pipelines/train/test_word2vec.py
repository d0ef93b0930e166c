from dataclasses import replace

import numpy as np
import pytest

from pipelines.train.corpora import EmptyCorpus, corpus_of
from pipelines.train.word2vec import Word2VecParameters, fit
from tests.builders.recipe_corpus import DISHES, EVERYWHERE, kitchen

SMALL = replace(Word2VecParameters(), dimensions=16, words=500_000)


def test_the_same_recipes_give_the_same_vectors_bit_by_bit() -> None:
    first, second = fit(kitchen(120), SMALL), fit(kitchen(120), SMALL)
    assert first.names == second.names
    assert first.inputs.tobytes() == second.inputs.tobytes()
    assert first.outputs.tobytes() == second.outputs.tobytes()


def test_input_times_output_finds_what_goes_together() -> None:
    vectors = fit(kitchen(300), SMALL)
    numbers = {name: number for number, name in enumerate(vectors.names)}
    for dish in ("크림파스타", "과일샐러드", "떡볶이"):
        core = [numbers[name] for name in DISHES[dish]]
        others = [number for name, number in numbers.items() if name not in DISHES[dish] and name not in EVERYWHERE]
        scores = vectors.outputs @ vectors.inputs[core[0]]
        assert scores[core[1:]].mean() > scores[others].max()


def test_vectors_are_finite_and_cover_the_usual_names() -> None:
    corpus = kitchen(120)
    vectors = fit(corpus, SMALL)
    assert set(vectors.names) == set(corpus.usual_names())
    assert np.isfinite(vectors.inputs).all()
    assert np.isfinite(vectors.outputs).all()


def test_recipes_that_share_nothing_to_learn_from_are_refused() -> None:
    with pytest.raises(EmptyCorpus, match="import more recipes"):
        fit(corpus_of([(1, "물", 0.0)], [(1, "물")]), SMALL)
