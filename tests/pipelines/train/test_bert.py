import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
import torch

from pipelines.train import bert_export
from pipelines.train.bert import BertParameters, fit, fresh, step_budget, train
from pipelines.train.bert_data import TrainingData
from pipelines.train.bert_export import export, torch_vectors
from pipelines.train.bert_model import EncoderShape, untrained
from pipelines.train.models import HELD_OUT
from recommender.evaluation.title_search import evaluate_title_search
from recommender.models.encoder import Encoder, EncoderFile
from tests.builders.recipe_corpus import kitchen

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHAPE = EncoderShape(vocabulary=400, layers=1, dimensions=32, heads=2)
TINY = BertParameters(shape=SHAPE, batch=16, epochs=6, max_steps=40)
KITCHEN = TrainingData(kitchen(120))


def trained(data: TrainingData, parameters: BertParameters) -> "SentenceTransformer":
    model = fresh(data, parameters)
    train(model, data, parameters, step_budget(len(data.texts()), parameters))
    return model


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp("bert") / "encoder"
    export(trained(KITCHEN, TINY), folder, SHAPE.max_tokens, kitchen(20).titles)
    return Encoder(folder)


def test_unknown_words_are_not_understood_and_have_no_vector(encoder: Encoder) -> None:
    assert encoder.understands("김치찌개")
    assert encoder.understands("매콤한 김치찌개 뷁")
    for text in ("뷁쉙", "뷁 쉙 김", "asdfgh", "ㅋㅋㅋ", "!?", " ", ""):
        assert not encoder.understands(text), text
    nothing, soup, mixed = encoder.encode(["뷁쉙 뒓", "김치찌개", "김치찌개 뷁"])
    assert not nothing.any()
    assert abs(float(soup @ soup) - 1) < 1e-5
    assert float(soup @ mixed) > 0.3


def test_word_pieces_start_from_where_they_occur() -> None:
    unseen, texts = kitchen(200, seed=99), KITCHEN.texts()
    random = untrained(texts, [], SHAPE, TINY.seed)
    before = evaluate_title_search(unseen, partial(torch_vectors, random))
    placed = evaluate_title_search(unseen, partial(torch_vectors, fresh(KITCHEN, TINY)))
    assert placed.recipes == before.recipes > 20
    assert placed.mrr > 1.5 * before.mrr


def test_training_makes_titles_find_their_ingredients() -> None:
    unseen, model = kitchen(200, seed=99), untrained(KITCHEN.texts(), [], SHAPE, TINY.seed)
    before = evaluate_title_search(unseen, partial(torch_vectors, model))
    train(model, KITCHEN, TINY, TINY.max_steps)
    after = evaluate_title_search(unseen, partial(torch_vectors, model))
    assert after.mrr > 1.5 * before.mrr


def test_vectors_have_length_one_or_none_whatever_the_text(encoder: Encoder) -> None:
    vectors = encoder.encode(["김치찌개", "x", "🍣", "가" * 500, "감자 양파 " * 100])
    assert vectors.shape == (5, SHAPE.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.array([1, 0, 0, 0, 1]), abs=1e-5)


def test_a_text_has_one_vector_whatever_comes_with_it(encoder: Encoder) -> None:
    together = encoder.encode(["김치찌개", "아주 긴 이름을 가진 크림파스타와 과일샐러드"])
    assert encoder.encode(["김치찌개"])[0] == pytest.approx(together[0], abs=1e-5)


def test_the_same_corpus_gives_the_same_files_with_any_threads(tmp_path: Path) -> None:
    short = replace(TINY, max_steps=3)
    for name, threads in (("first", 1), ("second", 2)):
        torch.set_num_threads(threads)
        export(trained(TrainingData(kitchen(40)), short), tmp_path / name, SHAPE.max_tokens, kitchen(20).titles)
    for path in sorted((tmp_path / "first").iterdir()):
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_a_base_model_is_fine_tuned_instead_of_a_fresh_one(tmp_path: Path) -> None:
    base = fresh(TrainingData(kitchen(40)), TINY)
    base[0].auto_model.save_pretrained(tmp_path)
    base.tokenizer.save_pretrained(tmp_path)
    tuned = fresh(KITCHEN, replace(TINY, base_model=str(tmp_path)))
    assert tuned.encode(["김치찌개"]) == pytest.approx(base.encode(["김치찌개"]), abs=1e-5)


def test_an_encoder_that_differs_from_its_model_is_not_exported(tmp_path: Path) -> None:
    model = fresh(TrainingData(kitchen(40)), TINY)
    # Truncated in the file, not in the model.
    with pytest.raises(RuntimeError, match="differs"):
        export(model, tmp_path / "encoder", 3, ["아주 긴 이름을 가진 크림파스타와 과일샐러드"])


def test_titles_of_unknown_pieces_do_not_stop_an_export(tmp_path: Path) -> None:
    model = fresh(TrainingData(kitchen(40)), TINY)
    export(model, tmp_path / "encoder", SHAPE.max_tokens, ["뷁쉙 뒓", "🍣", *kitchen(20).titles])
    assert not Encoder(tmp_path / "encoder").encode(["뷁쉙 뒓"]).any()


def test_an_export_is_quantised_unless_vectors_change_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fresh(KITCHEN, TINY)
    export(model, tmp_path / "quantised", SHAPE.max_tokens, KITCHEN.texts())
    monkeypatch.setattr(bert_export, "MIN_QUANTISED_COSINE", 1.1)
    export(model, tmp_path / "exact", SHAPE.max_tokens, KITCHEN.texts())
    operators = [
        {node.op_type for node in onnx.load(tmp_path / name / EncoderFile.MODEL).graph.node}
        for name in ("quantised", "exact")
    ]
    assert "QLinearMatMul" in operators[0]
    assert "QLinearMatMul" not in operators[1]
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("quantised", "exact")]
    assert files[0] == files[1] == sorted(EncoderFile)
    vectors = [Encoder(tmp_path / name).encode(KITCHEN.recipes.titles) for name in ("quantised", "exact")]
    assert (vectors[0] * vectors[1]).sum(axis=1).min() > 0.99


def test_texts_of_another_language_are_no_base_for_an_export(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="none of 2 texts has a known word piece"):
        export(fresh(TrainingData(kitchen(40)), TINY), tmp_path / "encoder", SHAPE.max_tokens, ["뷁쉙 뒓", "🍣"])


@pytest.mark.parametrize(("weight", "message"), [(float("nan"), "zero or not finite"), (0.0, "zero or not finite")])
def test_broken_weights_are_not_exported(tmp_path: Path, weight: float, message: str) -> None:
    model = fresh(TrainingData(kitchen(40)), TINY)
    for parameter in model.parameters():
        parameter.data.fill_(weight)
    with pytest.raises(RuntimeError, match=message):
        export(model, tmp_path / "encoder", SHAPE.max_tokens, kitchen(20).titles)


def test_an_encoder_that_reads_nothing_is_not_exported(tmp_path: Path) -> None:
    model = fresh(TrainingData(kitchen(40)), TINY)
    embeddings = model[0].auto_model.embeddings
    for part in (embeddings.word_embeddings, embeddings.position_embeddings):
        part.weight.data.fill_(0.01)
    with pytest.raises(RuntimeError, match="the same vector"):
        export(model, tmp_path / "encoder", SHAPE.max_tokens, kitchen(20).titles)


@pytest.mark.parametrize("weight", [float("nan"), 0.0, None])
def test_an_encoder_with_changed_weights_does_not_open(encoder: Encoder, tmp_path: Path, weight: float | None) -> None:
    shutil.copytree(encoder.folder, tmp_path / "encoder")
    path = tmp_path / "encoder" / EncoderFile.MODEL
    model, random = onnx.load(path), np.random.default_rng(5)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim == 2 and values.dtype == np.float32:
            changed = random.normal(0, 0.1, values.shape) if weight is None else np.full(values.shape, weight)
            tensor.CopyFrom(onnx.numpy_helper.from_array(changed.astype(np.float32), tensor.name))
    onnx.save(model, path)
    with pytest.raises(ValueError, match=r"model.onnx gives (other vectors|vectors that are not finite)"):
        Encoder(tmp_path / "encoder")


@pytest.mark.parametrize("name", [EncoderFile.MODEL, EncoderFile.TOKENIZER])
def test_an_unreadable_file_of_an_encoder_is_named(encoder: Encoder, tmp_path: Path, name: EncoderFile) -> None:
    shutil.copytree(encoder.folder, tmp_path / "encoder")
    (tmp_path / "encoder" / name).write_bytes(b"{}")
    with pytest.raises(ValueError, match=f"{name} is no"):
        Encoder(tmp_path / "encoder")


def test_the_released_encoder_learns_the_test_part_too(tmp_path: Path) -> None:
    figures, curves = fit(KITCHEN, tmp_path / "encoder", replace(TINY, max_steps=10))
    assert figures.trained.recipes > 0
    held_out, released = Encoder(tmp_path / "encoder" / HELD_OUT), Encoder(tmp_path / "encoder")
    test = KITCHEN.test().recipes
    assert len(test)
    assert evaluate_title_search(test, held_out.encode).mrr == pytest.approx(figures.trained.mrr, abs=0.02)
    assert not np.allclose(held_out.encode(test.titles), released.encode(test.titles), atol=1e-3)
    learnt, refitted = curves.values()
    assert [point.at for point in learnt.points] == list(range(1, 11))
    assert learnt.points[-1].loss < learnt.points[0].loss
    assert all(point.held_out is not None for point in learnt.points)
    assert [point.held_out for point in refitted.points] == [None, None]


def test_the_loss_on_held_out_pairs_has_no_effect_on_the_encoder() -> None:
    texts, parameters = KITCHEN.recipes.titles[:5], replace(TINY, max_steps=5)
    vectors = []
    for held_out in (None, KITCHEN.test()):
        model = fresh(KITCHEN, parameters)
        train(model, KITCHEN, parameters, 5, held_out=held_out)
        vectors.append(torch_vectors(model, texts))
    assert vectors[0].tobytes() == vectors[1].tobytes()


def test_the_budget_grows_with_the_corpus_up_to_a_limit() -> None:
    assert step_budget(0, TINY) == 0
    assert step_budget(17, TINY) == 2 * TINY.epochs
    assert step_budget(10**6, TINY) == TINY.max_steps
