"""The sentence encoder as it is served: ONNX and a tokenizer file, no torch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from recommender.text.titles import plain

BATCH: Final = 64
# Share of a text's letters that must stand in pieces of two and more for it to be understood: what is spelled letter by
# letter means nothing to the model.
UNDERSTOOD: Final = 0.5


class Encoder:
    """Texts to unit vectors: the mean of the token states of ``model.onnx``, scaled to length 1. Safe to share."""

    def __init__(self, folder: Path) -> None:
        """Open ``model.onnx``, ``tokenizer.json`` and ``model.json`` (its ``longest``: tokens read of a text)."""
        longest = int(json.loads((folder / "model.json").read_text(encoding="utf-8"))["longest"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(longest)
        self._unknown = self._tokenizer.token_to_id("[UNK]")
        self._tokenizer.enable_padding(pad_id=self._tokenizer.token_to_id("[PAD]") or 0)
        options = onnxruntime.SessionOptions()
        # Queries come one at a time and in parallel: a thread pool inside each would only get in the way.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [entry.name for entry in self._session.get_inputs()]

    def understands(self, text: str) -> bool:
        """Whether the vocabulary holds most of a text in pieces that mean something."""
        given = plain(text)
        encoding = self._tokenizer.encode(given)
        known = zip(encoding.ids, encoding.offsets, strict=True)
        pieces = (end - start for number, (start, end) in known if number != self._unknown)
        held = sum(length for length in pieces if length > 1)
        return held > 0 and held >= UNDERSTOOD * len("".join(given.split()))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) of ``texts``, in order; zeros for a text without any known piece, which is like nothing.

        Texts of like length share a batch, so that little is padding.
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
