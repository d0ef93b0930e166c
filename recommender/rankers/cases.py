"""Input and output of a ranker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Scores = NDArray[np.float32]
BasketMatrix = sp.csr_array


@dataclass(frozen=True)
class Cases:
    """Recipes to complete: `given` (cases, items) is 1 for a given item, `titles` (cases,) are "" where unknown."""

    given: BasketMatrix
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
    """Scores every item for every case: finite, higher is better, all equal for a case it knows nothing about."""

    def scores(self, cases: Cases) -> Scores:
        """Scores (cases, items); given items are scored too."""


def basket_matrix(baskets: Sequence[Sequence[int]], items: int) -> BasketMatrix:
    """Matrix (baskets, items) of ones from lists of distinct item numbers."""
    lengths = [len(basket) for basket in baskets]
    columns = np.fromiter((item for basket in baskets for item in basket), dtype=np.int32, count=sum(lengths))
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return sp.csr_array((np.ones(len(columns), dtype=np.float32), columns, starts), shape=(len(baskets), items))


def named_basket_matrix(baskets: Sequence[Sequence[str]], names: Sequence[str]) -> BasketMatrix:
    """Matrix (baskets, names) of ones from lists of distinct item names; unknown names are left out."""
    numbers = {name: number for number, name in enumerate(names)}
    known = [sorted(numbers[name] for name in basket if name in numbers) for basket in baskets]
    return basket_matrix(known, len(names))
