"""Pairs of queries and candidates with the similarities of their titles."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.relations.nearest import NearestTitles, Texts


class Pairs(NamedTuple):
    """Pairs by row: ``queries`` and ``targets`` (pairs,), and the three cosines (pairs,) of their titles."""

    queries: NDArray[np.intp]
    targets: NDArray[np.intp]
    chars: NDArray[np.float32]
    words: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def where(self, kept: NDArray[np.bool_]) -> "Pairs":
        """The pairs that are ``kept`` (pairs,)."""
        return Pairs(self.queries[kept], self.targets[kept], self.chars[kept], self.words[kept], self.vectors[kept])

    def columns(self) -> dict[str, NDArray[np.float32]]:
        """The similarities as features."""
        return {"chars": self.chars, "words": self.words, "vectors": self.vectors}


def candidate_pairs(queries: Texts, nearest: NearestTitles, others: Sequence[NDArray[np.int32]]) -> Pairs:
    """Pair each query with the targets whose titles are nearest, and with the ``others`` that it names."""
    found = [np.unique(np.concatenate(both)) for both in zip(nearest.of(queries), others, strict=True)]
    rows = np.repeat(np.arange(len(found)), [len(each) for each in found])
    columns = np.concatenate(found).astype(np.intp) if found else np.zeros(0, np.intp)
    return given_pairs(queries, nearest.targets, rows, columns)


def given_pairs(queries: Texts, targets: Texts, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
    """The pairs (rows, columns) with their similarities."""
    return Pairs(
        rows,
        columns,
        shared(queries.chars, targets.chars, rows, columns),
        shared(queries.words, targets.words, rows, columns),
        np.einsum("ij,ij->i", queries.vectors[rows], targets.vectors[columns]).astype(np.float32),
    )


def shared(
    left: sp.csr_array, right: sp.csr_array, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The inner product of left[rows] and right[columns], pair by pair."""
    values = np.zeros(len(rows), np.float32)
    dense = np.zeros(left.shape[1], np.float32)
    # One row of the left at a time, whose pairs follow each other.
    bounds = [0, *(np.flatnonzero(np.diff(rows)) + 1).tolist(), len(rows)] if len(rows) else []
    for start, stop in pairwise(bounds):
        terms = slice(*left.indptr[rows[start] : rows[start] + 2])
        if terms.start < terms.stop:
            dense[left.indices[terms]] = left.data[terms]
            values[start:stop] = right[columns[start:stop]] @ dense
            dense[left.indices[terms]] = 0
    return values
