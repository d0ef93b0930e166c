"""Precomputed neighbours: for each row of one thing the best rows of another, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

NOTHING: Final = -1
BY_TEXT: Final = -1
# The reason for what is alike by its text or its vector.
SIMILAR: Final = "similar"


@dataclass(frozen=True)
class NeighbourTable:
    """``rows`` (n, k) of the neighbours, -1 where there are fewer; ``scores`` (n, k), best first; ``reasons`` (n, k).

    A reason is the number of the shared ingredient, or ``BY_TEXT`` where only the texts are alike.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    reasons: NDArray[np.int32]

    @classmethod
    def of(cls, lists: Sequence[Sequence[tuple[int, float, int]]], k: int) -> "NeighbourTable":
        """Table of lists of (row, score, reason), each cut to the first ``k``."""
        rows = np.full((len(lists), k), NOTHING, dtype=np.int32)
        scores = np.zeros((len(lists), k), dtype=np.float32)
        reasons = np.full((len(lists), k), BY_TEXT, dtype=np.int32)
        for position, found in enumerate(lists):
            for column, (row, score, reason) in enumerate(found[:k]):
                rows[position, column], scores[position, column], reasons[position, column] = row, score, reason
        return cls(rows, scores, reasons)

    def save(self, folder: Path) -> None:
        """Write the three arrays into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "rows.npy", self.rows)
        np.save(folder / "scores.npy", self.scores)
        np.save(folder / "reasons.npy", self.reasons)

    @classmethod
    def load(cls, folder: Path) -> "NeighbourTable":
        """Read what :meth:`save` wrote."""
        return cls(np.load(folder / "rows.npy"), np.load(folder / "scores.npy"), np.load(folder / "reasons.npy"))

    def of_row(self, position: int, k: int) -> list[tuple[int, float, int]]:
        """The first ``k`` neighbours of a row as (row, score, reason)."""
        found = zip(
            self.rows[position, :k].tolist(),
            self.scores[position, :k].tolist(),
            self.reasons[position, :k].tolist(),
            strict=True,
        )
        return [(row, score, reason) for row, score, reason in found if row != NOTHING]
