"""Precomputed neighbours: for each row of one kind the best rows of another, with score and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

NOTHING: Final = -1
BY_TEXT: Final = -1
# The reason of a neighbour that is similar by text or by vector.
SIMILAR: Final = "similar"


@dataclass(frozen=True)
class NeighbourTable:
    """``rows`` (n, k) of the neighbours, ``NOTHING`` where there are fewer; ``scores`` (n, k), best first;
    ``reasons`` (n, k).

    A reason is the number of the shared ingredient, or ``BY_TEXT`` where only the texts are similar.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    reasons: NDArray[np.int32]

    def __post_init__(self) -> None:
        if not self.rows.shape == self.scores.shape == self.reasons.shape:
            shapes = f"{self.rows.shape}, {self.scores.shape} and {self.reasons.shape}"
            raise ValueError(f"rows, scores and reasons of a neighbour table have different shapes: {shapes}")

    @classmethod
    def of(cls, lists: Sequence[Sequence[tuple[int, float, int]]], k: int) -> "NeighbourTable":
        """Table from lists of (row, score, reason), each cut to the first ``k``."""
        rows = np.full((len(lists), k), NOTHING, dtype=np.int32)
        scores = np.zeros((len(lists), k), dtype=np.float32)
        reasons = np.full((len(lists), k), BY_TEXT, dtype=np.int32)
        for position, neighbours in enumerate(lists):
            for column, (row, score, reason) in enumerate(neighbours[:k]):
                rows[position, column], scores[position, column], reasons[position, column] = row, score, reason
        return cls(rows, scores, reasons)

    def save(self, path: Path) -> None:
        """Write the three arrays to the .npz file ``path``."""
        np.savez(path, rows=self.rows, scores=self.scores, reasons=self.reasons)

    @classmethod
    def load(cls, path: Path) -> "NeighbourTable":
        """Read the file that :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["rows"], arrays["scores"], arrays["reasons"])

    def of_row(self, position: int, k: int) -> list[tuple[int, float, int]]:
        """The first ``k`` neighbours of a row as (row, score, reason)."""
        neighbours = zip(
            self.rows[position, :k].tolist(),
            self.scores[position, :k].tolist(),
            self.reasons[position, :k].tolist(),
            strict=True,
        )
        return [(row, score, reason) for row, score, reason in neighbours if row != NOTHING]
