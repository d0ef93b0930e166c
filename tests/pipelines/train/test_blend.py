from pathlib import Path

import numpy as np
import pytest

from pipelines.train.blend import DEFAULT_WEIGHTS, refit_blend, train_blend
from pipelines.train.word2vec import Word2VecParameters, fit
from recommender.bundle import read_blend, write_blend
from recommender.evaluation.completion import evaluate_completion, held_out_completion
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.rankers.blend import Blend
from recommender.rankers.config import BlendConfig, NearestConfig
from tests.builders.recipe_corpus import DISHES, EVERYWHERE, encode_letters, kitchen


def trained(corpus: RecipeCorpus, config: BlendConfig | None = None) -> Blend:
    vectors = fit(corpus.fit(), Word2VecParameters(dimensions=16, words=300_000))
    return train_blend(corpus, vectors, config or BlendConfig())


def test_the_blend_equals_its_best_ranker_and_beats_popularity() -> None:
    corpus = kitchen(600)
    blend = trained(corpus)
    evaluation = evaluate_completion(blend, corpus.fit(), corpus, encode_letters)
    methods = evaluation.methods
    assert evaluation.cases == len(leave_one_out(corpus.test(), blend.names))
    assert methods["blend"].mrr >= max(methods[name].mrr for name in blend.rankers.by_name()) - 0.03
    assert methods["blend"].mrr > methods["popularity"].mrr
    assert set(evaluation.blend_against) == set(methods) - {"blend"}
    assert "생크림" in blend.names
    answer = {name for name, _ in blend.complete(["스파게티면"], 7, "크림파스타")}
    assert answer == {*DISHES["크림파스타"], *EVERYWHERE} - {"스파게티면"}


def test_a_blend_is_compared_with_rankers_of_what_it_has_learnt() -> None:
    corpus = kitchen(200)
    learnt = corpus.train()
    assert len(learnt.titles) > len(corpus.fit().titles)
    vectors = fit(learnt, Word2VecParameters(dimensions=16, words=300_000))
    methods = evaluate_completion(refit_blend(trained(corpus), learnt, vectors), learnt, corpus, encode_letters).methods
    assert methods["blend"].mrr > methods["popularity"].mrr


def test_training_is_deterministic(tmp_path: Path) -> None:
    corpus = kitchen(200)
    first, second = trained(corpus), trained(corpus)
    evaluations = [evaluate_completion(blend, corpus.fit(), corpus, encode_letters) for blend in (first, second)]
    assert evaluations[0] == evaluations[1]
    assert files_of(first, tmp_path / "first") == files_of(second, tmp_path / "second")


@pytest.mark.parametrize("recipes", [3, 10, 25])
def test_a_tiny_corpus_gives_a_blend_that_survives_its_files(tmp_path: Path, recipes: int) -> None:
    corpus = kitchen(recipes)
    blend = trained(corpus, BlendConfig(nearest=NearestConfig(title_weight=0.5, neighbours=7)))
    evaluation = evaluate_completion(blend, corpus.fit(), corpus, encode_letters)
    assert bool(evaluation.cases) == bool(evaluation.methods) == bool(evaluation.blend_against)
    write_blend(tmp_path, blend)
    loaded = read_blend(tmp_path, blend.config)
    assert loaded.names == blend.names
    for basket, title in (([], ""), (["두부"], "김치찌개"), (["없는재료"], "🍣")):
        assert np.array_equal(loaded.scores(basket, title), blend.scores(basket, title))


def test_the_test_part_has_no_influence_on_the_blend(tmp_path: Path) -> None:
    corpus = kitchen(300)
    rows = [(number, title, 0.0) for number, title in zip(corpus.recipe_ids.tolist(), corpus.titles, strict=True)]
    test_part = set(corpus.test().recipe_ids.tolist())
    lines = [
        (number, f"바뀐{name}" if number in test_part else name)
        for (number, _, _), basket in zip(rows, corpus.baskets, strict=True)
        for name in basket
    ]
    changed = corpus_of(rows, lines)
    assert files_of(trained(corpus), tmp_path / "given") == files_of(trained(changed), tmp_path / "changed")


def test_too_few_cases_give_the_default_weights() -> None:
    corpus = kitchen(600)
    assert trained(corpus, BlendConfig(max_weight_cases=20)).weights == DEFAULT_WEIGHTS
    assert trained(corpus).weights != DEFAULT_WEIGHTS


def test_what_is_released_has_learnt_from_every_recipe() -> None:
    corpus = kitchen(300)
    held_out = trained(corpus)
    released = refit_blend(held_out, corpus, fit(corpus, Word2VecParameters(dimensions=16, words=300_000)))
    assert (released.weights, released.config) == (held_out.weights, held_out.config)
    assert held_out.rankers.nearest.baskets.shape[0] == len(corpus.fit())
    assert released.rankers.nearest.baskets.shape[0] == len(corpus)
    counts = corpus.ingredient_counts()
    assert released.rankers.popularity.counts.tolist() == [counts[name] for name in released.names]


def test_completion_is_measured_as_it_is_served() -> None:
    corpus = kitchen(600)
    blend = trained(corpus)
    figures = evaluate_completion(blend, corpus.fit(), corpus, encode_letters).methods
    served = held_out_completion(blend.complete, corpus, blend.names, at_most=10_000)
    untitled = held_out_completion(blend.complete, corpus, blend.names, titled=False, at_most=10_000)
    assert served is not None
    assert untitled is not None
    assert served.hit_at_10 == pytest.approx(figures["blend"].hit_at_10, abs=0.02)
    assert untitled.hit_at_10 == pytest.approx(figures["blend_untitled"].hit_at_10, abs=0.02)
    nothing = held_out_completion(lambda *_: (), corpus, blend.names)
    assert nothing is not None
    assert (nothing.hit_at_10, nothing.mrr) == (0.0, 0.0)
    assert held_out_completion(blend.complete, kitchen(0), blend.names) is None


def test_given_and_unknown_ingredients_are_never_an_answer() -> None:
    blend = trained(kitchen(300))
    answer = [name for name, _ in blend.complete(["김치", "두부", "없는재료"], 50, "김치찌개")]
    assert len(answer) == len(blend.names) - 2
    assert not {"김치", "두부", "없는재료"} & set(answer)


def files_of(blend: Blend, folder: Path) -> dict[str, bytes]:
    write_blend(folder, blend)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(files) == 4
    return files
