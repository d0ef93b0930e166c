"""Rank the candidates of a relation."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.relations.pairs import Pairs
from recommender.relations.ranker import Ranker
from recommender.relations.space import ProductMatrix

# Queries that are compared with all targets at a time; bounds the memory.
CHUNK: Final = 256


class Scored(NamedTuple):
    """A target by its row, with its score."""

    row: int
    score: float


class Candidates(Protocol):
    """Candidates of a relation and their features."""

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    def candidates(self, queries: ProductMatrix) -> Pairs:
        """Pairs of queries and targets worth a look, ordered by query."""

    def pairs(self, queries: ProductMatrix, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
        """Given pairs of queries and targets."""

    def features(self, queries: ProductMatrix, pairs: Pairs) -> NDArray[np.float32]:
        """Features (pairs, feature_names)."""


def rank(
    relation: Candidates,
    ranker: Ranker,
    queries: ProductMatrix,
    k: int,
    *,
    items: NDArray[np.int64],
    own: NDArray[np.int64],
) -> Iterator[list[Scored]]:
    """For each query its ``k`` best targets above the ranker's threshold, best first.

    ``items`` (targets,) say which targets are listings of the same item: of these the best is kept. Those of the
    query's ``own`` item (queries,) are left out.
    """
    for start in range(0, len(queries), CHUNK):
        part = queries.take(slice(start, start + CHUNK))
        pairs = relation.candidates(part)
        scores = ranker.score(relation.feature_names, relation.features(part, pairs))
        yield from best_targets(pairs, scores, k, items=items, own=own[start : start + CHUNK])


def best_targets(
    pairs: Pairs, scores: NDArray[np.float32], k: int, *, items: NDArray[np.int64], own: NDArray[np.int64]
) -> Iterator[list[Scored]]:
    """For each query, numbered as in ``own``, its ``k`` targets with the highest finite ``scores`` (pairs,)."""
    # Rounded, so that the last bits, which differ between machines, decide no order.
    scores = scores.round(4)
    shown = np.flatnonzero(np.isfinite(scores) & (items[pairs.targets] != own[pairs.queries]))
    order = shown[np.lexsort((pairs.targets[shown], -scores[shown], pairs.queries[shown]))]
    bounds = np.searchsorted(pairs.queries[order], np.arange(len(own) + 1))
    for first, last in pairwise(bounds.tolist()):
        rows = order[first:last]
        yield _best(pairs.targets[rows].tolist(), scores[rows].tolist(), items, k)


def _best(rows: list[int], scores: list[float], items: NDArray[np.int64], k: int) -> list[Scored]:
    chosen: dict[int, Scored] = {}
    for row, score in zip(rows, scores, strict=True):
        chosen.setdefault(int(items[row]), Scored(row, score))
        if len(chosen) == k:
            break
    return list(chosen.values())
