import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.release import evaluate
from pipelines.release.evaluate import Hidden, compare, figures, hide, ranks_of, weigh
from pipelines.train.corpora import RecipeCorpus, corpus_of
from pipelines.train.models import Model
from pipelines.train.title_search import finding
from pipelines.train.word2vec import Word2VecParameters, fit
from recommender.rankers.blend import Blend
from recommender.rankers.cases import Cases, baskets_of
from recommender.rankers.word2vec import unit
from tests.builders.recipe_corpus import DISHES, EVERYWHERE, kitchen


def by_letters(texts: Any) -> NDArray[np.float32]:
    """A stand-in for an encoder: texts with the same letters are near."""
    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text:
            vectors[row, ord(letter) % 512] += 1
    return unit(vectors)


def model_of(corpus: RecipeCorpus, folder: Path) -> Model:
    vectors = fit(corpus.fit(), Word2VecParameters(dimensions=16, words=300_000))
    (folder / "names.json").write_text(json.dumps(vectors.names), encoding="utf-8")
    np.save(folder / "input.npy", vectors.inputs)
    np.save(folder / "output.npy", vectors.outputs)
    return Model("test", folder)


def test_ranks_leave_given_items_out_and_share_ties() -> None:
    cases = Cases(baskets_of([[0], [1]], 4), ("", ""))
    scores = np.array([[9, 3, 2, 1], [1, 9, 1, 1]], dtype=np.float32)
    assert ranks_of(scores, Hidden(cases, np.array([2, 3]))).tolist() == [2.0, 2.0]


def test_figures_of_known_ranks() -> None:
    assert figures(np.array([1.0, 10.0, 11.0, 60.0])) == {
        "hit@10": 0.5,
        "hit@50": 0.75,
        "mrr": pytest.approx((1 + 1 / 10 + 1 / 11 + 1 / 60) / 4),
    }


def test_the_comparison_is_paired_and_has_an_interval() -> None:
    ours = np.array([1.0] * 80 + [99.0] * 20)
    same = compare(ours, ours)
    assert (same["hit@10"], same["low"], same["high"]) == (0.0, 0.0, 0.0)
    better = compare(ours, np.array([99.0] * 100))
    assert better["hit@10"] == pytest.approx(0.8)
    assert 0.7 < better["low"] < 0.8 < better["high"] < 0.9


def test_one_ingredient_of_each_long_enough_recipe_is_hidden() -> None:
    corpus = corpus_of(
        [(1, "긴", 0.0), (2, "짧은", 0.0)], [(1, name) for name in "가나다라마"] + [(2, name) for name in "가나다"]
    )
    hidden = hide(corpus, tuple("가나다라마"))
    assert len(hidden) == 1
    assert set(hidden.cases.given[[0]].indices.tolist()) | {int(hidden.items[0])} == {0, 1, 2, 3, 4}
    assert hidden.cases.titles == ("긴",)
    every = hide(corpus, tuple("가나다라마"), every=True)
    assert sorted(every.items.tolist()) == [0, 1, 2, 3, 4]


def test_unknown_ingredients_take_no_part() -> None:
    corpus = corpus_of([(1, "국", 0.0)], [(1, name) for name in "가나다라마"])
    assert len(hide(corpus, tuple("가나다"))) == 0


def test_the_blend_keeps_up_with_its_best_part_and_beats_popularity(tmp_path: Path) -> None:
    corpus = kitchen(600)
    blend, evaluation = weigh(corpus, model_of(corpus, tmp_path), by_letters)
    methods = evaluation["methods"]
    assert evaluation["cases"] == len(hide(corpus.test(), blend.names))
    assert methods["blend"]["mrr"] >= max(methods[name]["mrr"] for name in blend.parts.named()) - 0.03
    assert methods["blend"]["mrr"] > methods["popularity"]["mrr"]
    assert set(evaluation["blend_against"]) == set(methods) - {"blend"}
    assert "생크림" in blend.names
    order = [blend.names[number] for number in np.argsort(-blend.scores(["스파게티면"], "크림파스타"))]
    assert set(order[:8]) == {*DISHES["크림파스타"], *EVERYWHERE}


def test_weighing_is_deterministic(tmp_path: Path) -> None:
    corpus = kitchen(200)
    model = model_of(corpus, tmp_path)
    first, second = weigh(corpus, model, by_letters), weigh(corpus, model, by_letters)
    assert first[1] == second[1]
    first[0].save(tmp_path / "first")
    second[0].save(tmp_path / "second")
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


@pytest.mark.parametrize("recipes", [3, 10, 25])
def test_a_tiny_corpus_still_gives_a_blend_that_survives_a_file(tmp_path: Path, recipes: int) -> None:
    corpus = kitchen(recipes)
    blend, evaluation = weigh(corpus, model_of(corpus, tmp_path), by_letters)
    assert set(evaluation) >= {"cases", "methods", "weights"}
    blend.save(tmp_path / "blend")
    loaded = Blend.load(tmp_path / "blend")
    assert loaded.names == blend.names
    for basket, title in (([], ""), (["두부"], "김치찌개"), (["없는재료"], "🍣")):
        assert np.array_equal(loaded.scores(basket, title), blend.scores(basket, title))


def test_the_test_part_has_no_say_in_the_blend(tmp_path: Path) -> None:
    corpus = kitchen(300)
    rows = [(number, title, 0.0) for number, title in zip(corpus.recipe_ids.tolist(), corpus.titles, strict=True)]
    tested = set(corpus.test().recipe_ids.tolist())
    lines = [
        (number, f"바뀐{name}" if number in tested else name)
        for (number, _, _), basket in zip(rows, corpus.baskets, strict=True)
        for name in basket
    ]
    changed = corpus_of(rows, lines)
    for name, one in (("given", corpus), ("changed", changed)):
        (tmp_path / name).mkdir()
        weigh(one, model_of(one, tmp_path / name), by_letters)[0].save(tmp_path / name / "blend")
    for path in (tmp_path / "given" / "blend").iterdir():
        assert path.read_bytes() == (tmp_path / "changed" / "blend" / path.name).read_bytes()


def test_finding_counts_a_perfect_encoder_as_perfect() -> None:
    corpus = corpus_of(
        [(number, " ".join(f"{letter}{number}" for letter in "가나다라"), 0.0) for number in range(20)],
        [(number, f"{letter}{number}") for number in range(20) for letter in "가나다라"],
    )

    def exact(texts: Any) -> NDArray[np.float32]:
        return np.array([np.eye(20)[int(text.split()[0][1:])] for text in texts], dtype=np.float32)

    assert finding(corpus, exact) == {"recipes": 20, "recall@10": 1.0, "mrr": 1.0}
    assert finding(corpus.part(np.arange(0)), exact)["recipes"] == 0


def test_cases_are_drawn_from_the_whole_validation_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    corpus = kitchen(600)
    model = model_of(corpus, tmp_path)
    monkeypatch.setattr(evaluate, "WEIGHED_CASES", 20)
    assert weigh(corpus, model, by_letters)[1]["weights"]["titled"]
