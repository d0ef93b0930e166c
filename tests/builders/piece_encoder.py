"""A sentence encoder that learns in milliseconds: word pieces with vectors from what occurs in the same recipe."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from recommender.models.encoder import Encoder, EncoderConfig, EncoderFile, Probe
from recommender.models.recipe_corpus import RecipeCorpus

WIDTH = 24


def write_trained(folder: Path, corpus: RecipeCorpus, pieces: list[str]) -> None:
    """Write an encoder that has learnt from recipes; ``pieces`` continue a word that begins with an ingredient."""
    vocabulary = _vocabulary(corpus, pieces)
    tokenizer = _tokenizer(vocabulary)
    texts = [f"{title} {' '.join(names)}" for title, names in zip(corpus.titles, corpus.baskets, strict=True)]
    held = np.zeros((len(texts), len(vocabulary)))
    for row, encoding in enumerate(tokenizer.encode_batch(texts)):
        held[row, encoding.ids] = 1
    informative = np.log(len(texts) / np.maximum(held.sum(axis=0), 1)) * (held.sum(axis=0) > 0)
    left, sizes, _ = np.linalg.svd((held * informative).T @ held, full_matrices=False)
    vectors = left[:, :WIDTH] * np.sqrt(sizes[:WIDTH]) * (informative[:, None] > 0)
    vectors[: len(_SPECIAL)] = 0
    _write(folder, tokenizer, vectors)


def write_untrained(folder: Path, corpus: RecipeCorpus, pieces: list[str]) -> None:
    """Write the same encoder with random vectors."""
    vocabulary = _vocabulary(corpus, pieces)
    _write(folder, _tokenizer(vocabulary), np.random.default_rng(0).normal(size=(len(vocabulary), WIDTH)))


_SPECIAL = ("[PAD]", "[UNK]")


def _vocabulary(corpus: RecipeCorpus, pieces: list[str]) -> list[str]:
    names = sorted({name for basket in corpus.baskets for name in basket})
    words = sorted({word for title in corpus.titles for word in title.split()[:1]} - set(names))
    return [*_SPECIAL, *names, *words, *(f"##{piece}" for piece in pieces)]


def _tokenizer(vocabulary: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(WordPiece({piece: n for n, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def _write(folder: Path, tokenizer: Tokenizer, vectors: NDArray[np.float64]) -> None:
    folder.mkdir(parents=True)
    EncoderConfig(max_tokens=16).save(folder)
    tokenizer.save(str(folder / EncoderFile.TOKENIZER))
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "t"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "t", WIDTH])]
    weights = numpy_helper.from_array(vectors.astype(np.float32), "vectors")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["vectors", "input_ids"], ["states"])], "pieces", inputs, outputs, [weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, str(folder / EncoderFile.MODEL))
    write_probe(folder)


def write_probe(folder: Path) -> None:
    """Store what the encoder in ``folder`` gives for a few texts, as an export does."""
    Probe((), np.zeros((0, WIDTH), np.float32)).save(folder)
    texts = ("감자", "두부 찌개")
    Probe(texts, Encoder(folder).encode(texts)).save(folder)
