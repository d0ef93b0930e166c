from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.train.corpora import EmptyCorpus
from pipelines.train.curves import POINTS, curve_of
from pipelines.train.word2vec import Word2VecParameters, fit, learn
from recommender.models.recipe_corpus import corpus_of
from recommender.models.word_vectors import WordVectors
from tests.builders.recipe_corpus import DISHES, EVERYWHERE, kitchen

SMALL = replace(Word2VecParameters(), dimensions=16, words=500_000)


def test_the_same_recipes_give_the_same_vectors_bit_by_bit() -> None:
    first, second = fit(kitchen(120), SMALL), fit(kitchen(120), SMALL)
    assert first.names == second.names
    assert first.inputs.tobytes() == second.inputs.tobytes()
    assert first.outputs.tobytes() == second.outputs.tobytes()


def test_the_loss_falls_from_epoch_to_epoch() -> None:
    curve = learn(kitchen(120), SMALL).curve
    losses = [point.loss for point in curve.points]
    assert len(losses) == POINTS
    assert curve.points[-1].at > 100  # epochs: few points stand for many
    assert losses[-1] < losses[0] * 0.9
    assert curve_of("epoch", []).points == ()
    assert [(point.at, point.loss) for point in curve_of("epoch", [3.0, 1.0]).points] == [(1, 3.0), (2, 1.0)]


def test_input_times_output_finds_what_goes_together() -> None:
    vectors = fit(kitchen(300), SMALL)
    numbers = {name: number for number, name in enumerate(vectors.names)}
    for dish in ("크림파스타", "과일샐러드", "떡볶이"):
        core = [numbers[name] for name in DISHES[dish]]
        others = [number for name, number in numbers.items() if name not in DISHES[dish] and name not in EVERYWHERE]
        scores = vectors.outputs @ vectors.inputs[core[0]]
        assert scores[core[1:]].mean() > scores[others].max()


def test_vectors_are_finite_and_cover_the_frequent_ingredients() -> None:
    corpus = kitchen(120)
    vectors = fit(corpus, SMALL)
    assert set(vectors.names) == set(corpus.frequent_ingredients())
    assert np.isfinite(vectors.inputs).all()
    assert np.isfinite(vectors.outputs).all()


def test_vectors_survive_their_files_and_are_aligned_by_name(tmp_path: Path) -> None:
    inputs = np.array([[1, 2], [3, 4]], dtype=np.float32)
    WordVectors(("무", "물"), inputs, -inputs).save(tmp_path)
    loaded = WordVectors.load(tmp_path)
    assert loaded.names == ("무", "물")
    aligned = loaded.aligned(("물", "모름", "무"))
    assert aligned[0].tolist() == [[3, 4], [0, 0], [1, 2]]
    assert aligned[1].tolist() == [[-3, -4], [0, 0], [-1, -2]]


def test_vectors_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"output vectors have shape \(1, 2\), expected \(2, 2\)"):
        WordVectors(("무", "물"), np.zeros((2, 2), np.float32), np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[np.nan, 1], [2, 3]], "input vectors of 1 of 2 ingredients are not finite, the first of 무"),
        ([[1, 1], [2, np.inf]], "input vectors of 1 of 2 ingredients are not finite, the first of 물"),
        ([[0.5, 0.5], [0.5, 0.5]], "input vectors of all 2 ingredients are the same"),
        ([[1, 2, 3], [4, 5, 6]], r"output vectors have shape \(2, 2\), expected \(2, 3\)"),
        ([1, 2], r"input vectors have shape \(2,\), expected \(2, 'dimensions'\)"),
    ],
)
def test_vectors_of_a_spoiled_file_are_refused(tmp_path: Path, inputs: list[list[float]], message: str) -> None:
    good = np.array([[1, 2], [3, 4]], dtype=np.float32)
    WordVectors(("무", "물"), good, good).save(tmp_path)
    np.save(tmp_path / "input.npy", np.array(inputs, dtype=np.float32))
    with pytest.raises(ValueError, match=f"Word2Vec model {tmp_path.name}: .*{message}"):
        WordVectors.load(tmp_path)


def test_a_missing_file_of_vectors_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"names\.json is missing: run `ukok train word2vec`"):
        WordVectors.load(tmp_path)


def test_recipes_that_share_nothing_to_learn_from_are_refused() -> None:
    with pytest.raises(EmptyCorpus, match="import more recipes"):
        fit(corpus_of([(1, "물", 0.0)], [(1, "물")]), SMALL)
