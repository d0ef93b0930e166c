"""Character n-grams of titles, as sparse features."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.text.titles import plain

LONGEST = 4


@dataclass(frozen=True)
class TitleFeatures:
    """The n-grams in use and their weights (features,), log(titles / titles with it)."""

    grams: tuple[str, ...]
    weights: NDArray[np.float32]

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {gram: column for column, gram in enumerate(self.grams)}

    def transform(self, titles: Sequence[str]) -> sp.csr_array:
        """Features (titles, features) with rows of length 1, or 0 where nothing is known."""
        indices: list[int] = []
        values: list[float] = []
        starts = [0]
        for title in titles:
            counts = Counter(column for gram in ngrams(title) if (column := self._columns.get(gram)) is not None)
            row = {column: (1 + math.log(count)) * float(self.weights[column]) for column, count in counts.items()}
            norm = math.sqrt(sum(value * value for value in row.values())) or 1.0
            for column in sorted(row):
                indices.append(column)
                values.append(row[column] / norm)
            starts.append(len(indices))
        data = np.array(values, dtype=np.float32), np.array(indices, dtype=np.int32), np.array(starts, dtype=np.int32)
        return sp.csr_array(data, shape=(len(titles), len(self.grams)))


def ngrams(title: str) -> Iterator[str]:
    """The 1- to 4-grams of each word of `title`, its edges marked by a space."""
    for word in plain(title).split():
        padded = f" {word} "
        for size in range(1, LONGEST + 1):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]


def title_features(titles: Sequence[str], *, at_most: int, seen: int = 2) -> TitleFeatures:
    """The `at_most` n-grams that most titles have, of those that at least `seen` have."""
    counts = Counter(gram for title in titles for gram in set(ngrams(title)))
    usual = sorted((gram for gram, count in counts.items() if count >= seen), key=lambda gram: (-counts[gram], gram))
    grams = tuple(sorted(usual[:at_most]))
    weights = [math.log((1 + len(titles)) / (1 + counts[gram])) + 1 for gram in grams]
    return TitleFeatures(grams, np.array(weights, dtype=np.float32))
