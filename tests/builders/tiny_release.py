"""Real releases of the small catalog, built by the real builder from models too small to be good."""

import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import Engine
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from artifacts import release as releases
from artifacts.store import Store
from pipelines.release.build import build_release
from pipelines.train import models
from pipelines.train.models import HELD_OUT, Figures, ModelCard
from recommender.evaluation.results import BertFigures, TitleSearchFigures, Word2VecFigures
from recommender.manifest import Manifest
from recommender.models.encoder import EncoderConfig, EncoderFile, Probe
from recommender.models.word_vectors import WordVectors
from recommender.rankers.word2vec import unit
from tests.builders.small_catalog import INGREDIENTS, RECIPES

WIDTH = 8


def build(service: Engine, warehouse: Engine, store: Store, now: datetime) -> str:
    """Build and upload a release of the databases; returns its version. It is not live yet."""
    with tempfile.TemporaryDirectory() as folder:
        _save_word2vec(store, Path(folder) / "word2vec", now)
        _save_encoder(store, Path(folder) / "bert", now)
    return build_release(service, warehouse, store, now).version


def make_live(store: Store, version: str) -> None:
    """Point ``CURRENT`` at a version whatever its gate says: two recipes are too few to evaluate."""
    releases.promote(store, version, expected=releases.current(store))


def copy(store: Store, version: str, name: str) -> None:
    """Publish a copy of ``version`` under another name."""
    manifest = releases.read_manifest(store, version, Manifest).model_copy(update={"version": name})
    with tempfile.TemporaryDirectory() as cache:
        releases.publish(store, releases.fetch(store, version, Path(cache)), manifest)


def copy_with_flaw(store: Store, version: str, flawed: str, name: str, flaw: str) -> None:
    """Publish ``flawed`` as a copy of ``version``, then change, cut off or delete its file ``name``."""
    copy(store, version, flawed)
    key = f"releases/{flawed}/{name}"
    data = store.get(key)
    if flaw == "missing":
        store.delete(key)
    else:
        store.put(key, data[: len(data) // 2] if flaw == "cut off" else bytes([data[0] ^ 1]) + data[1:])


def encoder(folder: Path, words: list[str]) -> None:
    """Write an encoder into ``folder``: each word has a fixed vector."""
    folder.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", *words]
    EncoderConfig(max_tokens=16).save(folder)
    _write_tokenizer(folder / EncoderFile.TOKENIZER, vocabulary)
    vectors = np.random.default_rng(2).normal(size=(len(vocabulary), WIDTH)).astype(np.float32)
    _write_model(folder / EncoderFile.MODEL, vectors)
    Probe(tuple(words), unit(vectors[2:])).save(folder)


def _save_word2vec(store: Store, folder: Path, now: datetime) -> None:
    names = tuple(INGREDIENTS.values())
    vectors = np.random.default_rng(1).normal(size=(len(names), WIDTH)).astype(np.float32)
    WordVectors(names, vectors, vectors).save(folder)
    WordVectors(names, vectors, vectors).save(folder / HELD_OUT)
    figures = Word2VecFigures(ingredients=len(names), recipes=len(RECIPES))
    models.save(store, "word2vec", folder, _card(figures), now)


def _save_encoder(store: Store, folder: Path, now: datetime) -> None:
    for each in (folder, folder / models.HELD_OUT):
        encoder(each, sorted({word for recipe in RECIPES for word in recipe[1].split()}))
    nothing = TitleSearchFigures(recipes=0, recall_at_10=0.0, mrr=0.0)
    models.save(store, "bert", folder, _card(BertFigures(untrained=nothing, trained=nothing)), now)


def _card(figures: Figures) -> ModelCard[Figures]:
    return ModelCard(datasets={"recipes": "small"}, code_version="test", parameters={}, seed=1, figures=figures)


def _write_tokenizer(path: Path, words: list[str]) -> None:
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(path))


def _write_model(path: Path, vectors: NDArray[np.float32]) -> None:
    """Each word has a vector; a text's token states are its words' vectors."""
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "t"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "t", WIDTH])]
    nodes = [helper.make_node("Gather", ["vectors", "input_ids"], ["states"])]
    graph = helper.make_graph(nodes, "words", inputs, outputs, [numpy_helper.from_array(vectors, "vectors")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
