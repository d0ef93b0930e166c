"""The targets with the nearest titles, without comparing every query with every target."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.models.vector_index import IndexKind, VectorIndex

# Nearest candidates by each kind of similarity.
BY_CHARS: Final = 60
BY_WORDS: Final = 40
BY_VECTOR: Final = 40
# Entries that are read for a query. The rarest of its terms come first: what every other title has too tells little.
READ: Final = 20_000
# Of so many targets for each wanted one the cosine is computed in full where not all entries were read.
COMPARED: Final = 3


class Texts(Protocol):
    """Rows with unit vectors of a title: by n-grams, by words and by the encoder."""

    @property
    def chars(self) -> sp.csr_array: ...

    @property
    def words(self) -> sp.csr_array: ...

    @property
    def vectors(self) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Postings:
    """Unit rows (targets, terms), to be searched by their terms."""

    rows: sp.csr_array

    def nearest(self, queries: sp.csr_array, count: int) -> Iterator[NDArray[np.int32]]:
        """For each query the ``count`` targets with the highest cosine, in no order; none that shares no term."""
        rare = self._rare(queries)
        found = sp.csr_array(rare @ self._by_term)
        whole = np.diff(rare.indptr) == np.diff(queries.indptr)
        for row, (start, stop) in enumerate(pairwise(found.indptr.tolist())):
            targets, cosines = found.indices[start:stop], found.data[start:stop]
            if whole[row]:
                yield _highest(targets, cosines, count)
            else:
                compared = _highest(targets, cosines, COMPARED * count)
                yield _highest(compared, products(queries, row, self.rows[compared]), count)

    def _rare(self, queries: sp.csr_array) -> sp.csr_array:
        """The queries with their rarest terms alone, which have at most READ entries together, but at least one."""
        entries = self._lengths[queries.indices].astype(np.int64)
        if not len(entries):
            return queries
        rows = np.repeat(np.arange(queries.shape[0]), np.diff(queries.indptr))
        order = np.lexsort((queries.indices, entries, rows))
        before = np.cumsum(entries[order]) - entries[order]
        # Rows follow each other, so what was read before a row is what had been read at its first term.
        first = np.searchsorted(rows, np.arange(queries.shape[0] + 1))[:-1]
        read = before - before[np.minimum(first, len(before) - 1)][rows] + entries[order]
        is_first = np.zeros(len(order), np.bool_)
        is_first[first[first < len(order)]] = True
        kept = np.sort(order[(read <= READ) | is_first])
        starts = np.concatenate(([0], np.cumsum(np.bincount(rows[kept], minlength=queries.shape[0]))))
        return sp.csr_array((queries.data[kept], queries.indices[kept], starts), shape=queries.shape)

    @cached_property
    def _by_term(self) -> sp.csr_array:
        return sp.csr_array(self.rows.T)

    @cached_property
    def _lengths(self) -> NDArray[np.int32]:
        """Number of targets with each term."""
        return np.diff(self._by_term.indptr)


@dataclass(frozen=True)
class NearestTitles:
    """Search of ``targets`` by n-grams, by words, and by vectors with an index of ``kind``, by default by their number.

    Few queries are searched exactly (:attr:`IndexKind.FLAT`) in less time than it takes to build another index.
    """

    targets: Texts
    kind: IndexKind | None = None

    def of(self, queries: Texts) -> list[NDArray[np.int32]]:
        """For each query the targets that are near in any way; a target may be named more than once."""
        return [
            np.concatenate(found)
            for found in zip(
                self._chars.nearest(queries.chars, BY_CHARS),
                self._words.nearest(queries.words, BY_WORDS),
                self._by_vector(queries.vectors),
                strict=True,
            )
        ]

    def _by_vector(self, queries: NDArray[np.float32]) -> Iterator[NDArray[np.int32]]:
        cosines, targets = self._index.search(queries, BY_VECTOR)
        for row, values in zip(targets.astype(np.int32), cosines, strict=True):
            yield row[(values > 0) & (row >= 0)]

    @cached_property
    def _chars(self) -> Postings:
        return Postings(self.targets.chars)

    @cached_property
    def _words(self) -> Postings:
        return Postings(self.targets.words)

    @cached_property
    def _index(self) -> VectorIndex:
        return VectorIndex.build(self.targets.vectors, kind=self.kind)


def products(left: sp.csr_array, row: int, right: sp.csr_array) -> NDArray[np.float32]:
    """The inner products (rows,) of row ``row`` of ``left`` with the rows of ``right``."""
    terms = slice(left.indptr[row], left.indptr[row + 1])
    dense = np.zeros(left.shape[1], np.float32)
    dense[left.indices[terms]] = left.data[terms]
    return np.asarray(right @ dense, np.float32)


def _highest(targets: NDArray[np.int32], values: NDArray[np.float32], count: int) -> NDArray[np.int32]:
    """The targets with the ``count`` highest positive values."""
    if len(values) > count:
        chosen = np.argpartition(-values, count - 1)[:count]
        targets, values = targets[chosen], values[chosen]
    return targets[values > 0]
