"""The sentence encoder in ONNX, with its tokenizer; it needs no torch."""

from collections.abc import Sequence
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


class EncoderFile(StrEnum):
    """Files in the folder of an encoder."""

    MODEL = "model.onnx"
    TOKENIZER = "tokenizer.json"
    CONFIG = "encoder.json"


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


class Encoder:
    """Texts to unit vectors: the mean of the token states, scaled to length 1. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open the files of :class:`EncoderFile` in `folder`."""
        self.folder = folder
        self._config = EncoderConfig.model_validate_json((folder / EncoderFile.CONFIG).read_bytes())
        self._tokenizer = Tokenizer.from_file(str(folder / EncoderFile.TOKENIZER))
        self._tokenizer.enable_truncation(self._config.max_tokens)
        self._unknown = self._tokenizer.token_to_id("[UNK]")
        self._tokenizer.enable_padding(pad_id=self._tokenizer.token_to_id("[PAD]") or 0)
        options = onnxruntime.SessionOptions()
        # Queries come one at a time and in parallel: a thread pool in each would slow all of them down.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / EncoderFile.MODEL), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [entry.name for entry in self._session.get_inputs()]

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

        Texts of similar length share a batch, which keeps padding short.
        """
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        parts = [
            self._batch([texts[position] for position in order[start : start + BATCH]])
            for start in range(0, len(order), BATCH)
        ]
        if not parts:
            return np.empty((0, 0), dtype=np.float32)
        vectors = np.empty((len(texts), parts[0].shape[1]), dtype=np.float32)
        vectors[order] = np.concatenate(parts)
        return vectors

    def _batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encodings = self._tokenizer.encode_batch([plain(text) for text in texts])
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, {name: values[name] for name in self._inputs})[0]
        weights = mask[:, :, None].astype(np.float32)
        special = np.array([encoding.special_tokens_mask for encoding in encodings], dtype=np.int64)
        known = (mask * (1 - special) * (ids != self._unknown)).any(axis=1)
        means = (states * weights).sum(axis=1) / weights.sum(axis=1) * known[:, None]
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        vectors: NDArray[np.float32] = (means / np.maximum(lengths, 1e-12)).astype(np.float32)
        return vectors
