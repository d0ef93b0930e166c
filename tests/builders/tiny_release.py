"""Releases of the small catalog, built by the real builder from tiny models."""

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import Engine
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from artifacts import release as releases
from artifacts.store import Store
from pipelines.release import publish
from pipelines.train import models
from tests.builders.small_catalog import INGREDIENTS, RECIPES

WIDTH = 8


def build(service: Engine, warehouse: Engine, store: Store, now: datetime) -> str:
    """Build and upload a release of the databases; returns its version. It is not live yet."""
    with tempfile.TemporaryDirectory() as folder:
        _save_models(store, Path(folder), now)
    return publish.build(service, warehouse, store, now)


def make_live(store: Store, version: str) -> None:
    """Make a version live whatever its gate says: the small catalog cannot pass it."""
    releases.promote(store, version, expected=releases.current(store))


def copy_with_flaw(store: Store, version: str, flawed: str, name: str, flaw: str) -> None:
    """Publish ``flawed`` as a copy of ``version`` whose file ``name`` is then changed, cut off or missing."""
    manifest = releases.read_manifest(store, version).model_copy(update={"version": flawed})
    with tempfile.TemporaryDirectory() as cache:
        releases.publish(store, releases.fetch(store, version, Path(cache)), manifest)
    key = f"releases/{flawed}/{name}"
    data = store.get(key)
    if flaw == "missing":
        store.delete(key)
    else:
        store.put(key, data[: len(data) // 2] if flaw == "cut off" else bytes([data[0] ^ 1]) + data[1:])


def _save_models(store: Store, folder: Path, now: datetime) -> None:
    about = {"dataset": "small", "code_version": "test", "parameters": {}, "seed": 1, "figures": {}}
    word2vec, bert = folder / "word2vec", folder / "bert"
    for path in (word2vec, bert):
        path.mkdir()
    names = list(INGREDIENTS.values())
    vectors = np.random.default_rng(1).normal(size=(len(names), WIDTH)).astype(np.float32)
    (word2vec / "names.json").write_text(json.dumps(names, ensure_ascii=False))
    for name in ("input", "output"):
        np.save(word2vec / f"{name}.npy", vectors)
    models.keep(store, "word2vec", word2vec, about, now)
    words = ["[PAD]", "[UNK]", *sorted({word for recipe in RECIPES for word in recipe[1].split()})]
    _write_tokenizer(bert / "tokenizer.json", words)
    _write_encoder(bert / "model.onnx", len(words))
    models.keep(store, "bert", bert, about | {"longest": 16}, now)
    shutil.rmtree(folder)
    folder.mkdir()


def _write_tokenizer(path: Path, words: list[str]) -> None:
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(path))


def _write_encoder(path: Path, words: int) -> None:
    """Write an encoder whose token states are fixed vectors of the words."""
    vectors = np.random.default_rng(2).normal(size=(words, WIDTH)).astype(np.float32)
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "t"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "t", WIDTH])]
    nodes = [helper.make_node("Gather", ["vectors", "input_ids"], ["states"])]
    graph = helper.make_graph(nodes, "words", inputs, outputs, [numpy_helper.from_array(vectors, "vectors")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
