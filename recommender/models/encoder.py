"""The sentence encoder in ONNX, with its tokenizer; it needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from recommender.text.titles import plain

BATCH: Final = 64
# Texts that are tokenised at a time; bounds the memory.
CHUNK: Final = 4096
# Least cosine of a probe text's vector to the stored one; processors differ by far less.
MIN_PROBE_COSINE: Final = 0.99


class EncoderFile(StrEnum):
    """Files in the folder of an encoder."""

    MODEL = "model.onnx"
    TOKENIZER = "tokenizer.json"
    CONFIG = "encoder.json"
    PROBE = "probe.npz"


class EncoderConfig(BaseModel):
    """How texts are read: `max_tokens` of a text are encoded.

    A text is understood if `min_known_share` of its letters are in word pieces of two letters and more: pieces of one
    letter carry no meaning for the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int
    min_known_share: float = 0.5

    def save(self, folder: Path) -> None:
        """Write the file that :class:`Encoder` reads."""
        (folder / EncoderFile.CONFIG).write_text(self.model_dump_json(indent=2), encoding="utf-8")


@dataclass(frozen=True)
class Probe:
    """Some texts with the unit vectors (n, d) that the encoder must give them."""

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]

    def save(self, folder: Path) -> None:
        """Write the file that :class:`Encoder` checks itself against."""
        np.savez(folder / EncoderFile.PROBE, texts=np.array(self.texts, dtype=np.str_), vectors=self.vectors)

    @classmethod
    def load(cls, folder: Path) -> "Probe":
        """Read the file that :meth:`save` wrote."""
        with np.load(folder / EncoderFile.PROBE) as arrays:
            return cls(tuple(arrays["texts"].tolist()), arrays["vectors"])


class Encoder:
    """Texts to unit vectors: the mean of the token states, scaled to length 1. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open the files of :class:`EncoderFile` in `folder`; raises ValueError with the file that is wrong.

        The model is wrong if it gives the texts of the probe other vectors than those stored with it.
        """
        self.folder = folder
        self._config = EncoderConfig.model_validate_json((folder / EncoderFile.CONFIG).read_bytes())
        self._tokenizer = _open_tokenizer(folder / EncoderFile.TOKENIZER, self._config.max_tokens)
        self._unknown = self._tokenizer.token_to_id("[UNK]")
        self._padding = self._tokenizer.token_to_id("[PAD]") or 0
        special = (number for number, token in self._tokenizer.get_added_tokens_decoder().items() if token.special)
        self._meaningless = frozenset({*special, self._unknown, self._padding})
        self._session = _open_model(folder / EncoderFile.MODEL)
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        probe = Probe.load(folder)
        self.dimensions = int(probe.vectors.shape[1])
        self._check(probe)

    def understands(self, text: str) -> bool:
        """Whether the vocabulary contains most of a text in word pieces of two letters and more."""
        normalised = plain(text)
        encoding = self._tokenizer.encode(normalised)
        pieces = zip(encoding.ids, encoding.offsets, strict=True)
        lengths = (end - start for number, (start, end) in pieces if number != self._unknown)
        known = sum(length for length in lengths if length > 1)
        return known > 0 and known >= self._config.min_known_share * len("".join(normalised.split()))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) of `texts`, in order; zeros for a text without any known word piece.

        Texts with equally many word pieces share a batch, which keeps padding short.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        pieces = self._pieces(texts)
        known = [row for row, numbers in enumerate(pieces) if not self._meaningless.issuperset(numbers)]
        known.sort(key=lambda row: len(pieces[row]))
        for start in range(0, len(known), BATCH):
            rows = known[start : start + BATCH]
            vectors[rows] = self._batch([pieces[row] for row in rows])
        return vectors

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the word pieces of each text."""
        chunks = ([plain(text) for text in texts[start : start + CHUNK]] for start in range(0, len(texts), CHUNK))
        return [encoding.ids for chunk in chunks for encoding in self._tokenizer.encode_batch_fast(chunk)]

    def _batch(self, pieces: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        lengths = np.array([len(numbers) for numbers in pieces])
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self._padding, dtype=np.int64)
        ids[mask] = np.concatenate(pieces)
        values = {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, {name: values[name] for name in self._inputs})[0]
        # A sum and a mean have the same direction.
        sums = np.matmul(mask[:, None, :].astype(np.float32), states)[:, 0]
        vectors: NDArray[np.float32] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        return vectors

    def _check(self, probe: Probe) -> None:
        vectors = self.encode(probe.texts)
        if not np.isfinite(vectors).all():
            raise ValueError(f"{self.folder / EncoderFile.MODEL} gives vectors that are not finite: train it again")
        cosine = float((vectors * probe.vectors).sum(axis=1).min(initial=1.0))
        if not cosine >= MIN_PROBE_COSINE:
            raise ValueError(
                f"{self.folder / EncoderFile.MODEL} gives other vectors than those in {EncoderFile.PROBE}: "
                f"cosine {cosine:.3f}, at least {MIN_PROBE_COSINE} expected; its weights were changed, train it again"
            )


def _open_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ValueError(f"{path} is no tokenizer: {error}") from error
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _open_model(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Queries come one at a time and in parallel: a thread pool in each would slow all of them down.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(path),
            options,
            providers=["CPUExecutionProvider"],
            # The fused operator is six times slower than the two that it replaces.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
    except Exception as error:
        raise ValueError(f"{path} is no ONNX model: {error}") from error
