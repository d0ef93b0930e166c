"""Pairs of queries and candidates with the similarities of their titles."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# Nearest candidates by each kind of similarity.
BY_CHARS: Final = 60
BY_WORDS: Final = 40
BY_VECTOR: Final = 40


class Texts(Protocol):
    """Rows with unit vectors of a title: by n-grams, by words and by the encoder."""

    @property
    def chars(self) -> sp.csr_array: ...

    @property
    def words(self) -> sp.csr_array: ...

    @property
    def vectors(self) -> NDArray[np.float32]: ...


class Pairs(NamedTuple):
    """Pairs by row: ``queries`` and ``targets`` (pairs,), and the three cosines (pairs,) of their titles."""

    queries: NDArray[np.intp]
    targets: NDArray[np.intp]
    chars: NDArray[np.float32]
    words: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def columns(self) -> dict[str, NDArray[np.float32]]:
        """The similarities as features."""
        return {"chars": self.chars, "words": self.words, "vectors": self.vectors}


def candidate_pairs(queries: Texts, targets: Texts, others: Sequence[Iterable[int]]) -> Pairs:
    """Pair each query with the targets whose titles are nearest, and with the ``others`` that it names."""
    similarities = (
        (_dense(queries.chars, targets.chars), BY_CHARS),
        (_dense(queries.words, targets.words), BY_WORDS),
        (np.asarray(queries.vectors @ targets.vectors.T, np.float32), BY_VECTOR),
    )
    chosen = np.zeros(similarities[0][0].shape, np.bool_)
    for values, count in similarities:
        _mark_highest(chosen, values, count)
    for row, numbers in enumerate(others):
        chosen[row, np.fromiter(numbers, np.intp)] = True
    rows, columns = np.nonzero(chosen)
    return Pairs(rows, columns, *(values[rows, columns] for values, _ in similarities))


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
    return np.asarray(left[rows].multiply(right[columns]).sum(axis=1), np.float32).ravel()


def _dense(left: sp.csr_array, right: sp.csr_array) -> NDArray[np.float32]:
    return np.asarray((left @ right.T).toarray(), np.float32)


def _mark_highest(chosen: NDArray[np.bool_], values: NDArray[np.float32], count: int) -> None:
    """Mark the ``count`` highest positive values of each row."""
    if values.shape[1] > count:
        highest = np.argpartition(-values, count - 1, axis=1)[:, :count]
    else:
        highest = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    rows = np.arange(len(values))[:, None]
    chosen[rows, highest] |= values[rows, highest] > 0
