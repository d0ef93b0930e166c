"""Export of the trained sentence encoder to ONNX, checked against the model that it comes from."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from pipelines.train.bert_quantised import quantise
from recommender.models.encoder import Encoder, EncoderConfig, EncoderFile, Probe
from recommender.text.titles import plain

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

log = structlog.get_logger(__name__)

# Lowest cosine of the ONNX vectors to those of torch that an export accepts, and a quantised one.
MIN_COSINE: Final = 0.9999
MIN_QUANTISED_COSINE: Final = 0.995
# Texts that an export is compared on, and those of them that stay with the encoder as its probe.
COMPARED, PROBED = 400, 64
# Vectors of different texts that are closer on average are as good as constant.
MAX_MEAN_COSINE: Final = 0.999


def export(model: "SentenceTransformer", folder: Path, max_tokens: int, texts: Sequence[str]) -> None:
    """Write the files of an :class:`Encoder` into `folder`.

    Raises RuntimeError if the vectors of `texts` are not finite, all the same, or others than those of the model.
    Texts without a known word piece are not compared: the encoder gives them zeros.
    """
    compared = known_texts(model, texts, COMPARED)
    if not compared:
        raise RuntimeError(
            f"none of {len(texts)} texts has a known word piece: the vocabulary is not that of the texts"
        )
    expected = torch_vectors(model, compared)
    _check_vectors(expected)
    folder.mkdir(parents=True, exist_ok=True)
    EncoderConfig(max_tokens=max_tokens).save(folder)
    model.tokenizer.backend_tokenizer.save(str(folder / EncoderFile.TOKENIZER))
    _write_onnx(model, folder / EncoderFile.MODEL)
    Probe(tuple(compared[:PROBED]), expected[:PROBED]).save(folder)
    try:
        exported = Encoder(folder).encode(compared)
    except ValueError as error:
        raise RuntimeError(f"the exported encoder differs from the trained one: {error}") from error
    cosine = _least_cosine(exported, expected)
    if not cosine >= MIN_COSINE:
        raise RuntimeError(
            f"the ONNX encoder differs from the trained one: cosine {cosine:.5f}, at least {MIN_COSINE} expected"
        )
    _quantise(model, folder, compared, expected)


def _quantise(model: "SentenceTransformer", folder: Path, texts: Sequence[str], expected: NDArray[np.float32]) -> None:
    """Replace the model by a quantised one, unless that changes a vector of `texts` too much."""
    exact, quantised = folder / EncoderFile.MODEL, folder / "quantised.onnx"
    quantise(model, exact, quantised, texts)
    exact.rename(folder / "exact.onnx")
    quantised.rename(exact)
    try:
        cosine = _least_cosine(Encoder(folder).encode(texts), expected)
    except ValueError:
        cosine = 0.0
    if cosine < MIN_QUANTISED_COSINE:
        (folder / "exact.onnx").replace(exact)
    (folder / "exact.onnx").unlink(missing_ok=True)
    log.info("bert_exported", quantised=cosine >= MIN_QUANTISED_COSINE, least_cosine=round(cosine, 5))


def _least_cosine(vectors: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float((vectors * expected).sum(axis=1).min())


def known_texts(model: "SentenceTransformer", texts: Sequence[str], at_most: int) -> list[str]:
    """At most so many different texts with a known word piece, evenly spaced over `texts`."""
    distinct = list(dict.fromkeys(plain(text) for text in texts))
    meaningless = frozenset(model.tokenizer.all_special_ids)
    read = (
        model.tokenizer(distinct, truncation=True, max_length=model.max_seq_length) if distinct else {"input_ids": []}
    )
    pieces = read["input_ids"]
    known = [text for text, numbers in zip(distinct, pieces, strict=True) if not meaningless.issuperset(numbers)]
    rows = np.unique(np.linspace(0, len(known) - 1, min(at_most, len(known))).astype(int))
    return [known[row] for row in rows]


def torch_vectors(model: "SentenceTransformer", texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors (texts, dimensions) by torch."""
    model.eval()
    vectors: NDArray[np.float32] = model.encode([plain(text) for text in texts], show_progress_bar=False)
    return vectors


def _check_vectors(vectors: NDArray[np.float32]) -> None:
    if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
        raise RuntimeError("the trained encoder gives vectors that are zero or not finite: train with a lower rate")
    count = len(vectors)
    mean = float(((vectors @ vectors.T).sum() - count) / max(count * (count - 1), 1))
    if mean > MAX_MEAN_COSINE:
        raise RuntimeError(f"the trained encoder gives all texts the same vector: mean cosine {mean:.4f}")


def _write_onnx(model: "SentenceTransformer", path: Path) -> None:
    import torch

    features = model.preprocess(["김치찌개", "감자 양파 돼지고기"])
    names = ["input_ids", "attention_mask"]
    with warnings.catch_warnings():
        # The newer exporter takes twenty times as long for the same vectors.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _token_states(model),
            tuple(features[name] for name in names),
            str(path),
            dynamo=False,
            input_names=names,
            output_names=["states"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in (*names, "states")},
        )


def _token_states(model: "SentenceTransformer") -> "torch.nn.Module":
    """The transformer as a module from ids and mask to its last hidden states."""
    import torch

    class TokenStates(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
        def __init__(self, transformer: torch.nn.Module) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask)[0]
            return states

    return TokenStates(model[0].auto_model).eval()
