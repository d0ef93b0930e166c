"""What a ranker is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Baskets = sp.csr_array


@dataclass(frozen=True)
class Cases:
    """Unfinished recipes: `given` (cases, items) is 1 where an item is in, `titles` (cases,) are "" where unknown."""

    given: Baskets
    titles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.titles)

    def rows(self, start: int, stop: int) -> "Cases":
        """The cases [start, stop)."""
        return Cases(self.given[start:stop], self.titles[start:stop])

    def untitled(self) -> "Cases":
        """The same recipes without their titles."""
        return Cases(self.given, ("",) * len(self))


class Ranker(Protocol):
    """Scores every item for every case: finite, higher is better, all equal where it knows nothing."""

    def scores(self, cases: Cases) -> Scores:
        """Scores (cases, items); given items are scored too."""


def baskets_of(rows: Sequence[Sequence[int]], items: int) -> Baskets:
    """Lists of distinct item numbers as a matrix (rows, items) of ones."""
    lengths = [len(row) for row in rows]
    columns = np.fromiter((item for row in rows for item in row), dtype=np.int32, count=sum(lengths))
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return sp.csr_array((np.ones(len(columns), dtype=np.float32), columns, starts), shape=(len(rows), items))
