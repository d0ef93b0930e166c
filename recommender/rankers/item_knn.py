"""Rankers that add up what each given item says of every other: popularity, co-occurrence, item-kNN."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.cases import Cases, Scores


@dataclass(frozen=True)
class ItemToItem:
    """Score of an item: the sum of `weights` (items, items) from the given items to it."""

    weights: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        return np.asarray(cases.given @ self.weights, dtype=np.float32)


@dataclass(frozen=True)
class Popularity:
    """The same scores for every case: in how many recipes an item is."""

    counts: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        return np.tile(self.counts, (len(cases), 1))


def popularity(baskets: sp.csr_array) -> Popularity:
    """Popularity from baskets (recipes, items)."""
    return Popularity(np.asarray(baskets.sum(axis=0), dtype=np.float32).ravel())


def together(baskets: sp.csr_array) -> NDArray[np.float64]:
    """(items, items): in how many baskets two items are; the diagonal counts each item."""
    return np.asarray((baskets.T @ baskets).toarray(), dtype=np.float64)


def cooccurrence(baskets: sp.csr_array) -> ItemToItem:
    """Counts of being in one recipe."""
    counts = together(baskets)
    np.fill_diagonal(counts, 0.0)
    return ItemToItem(counts.astype(np.float32))


def item_knn(baskets: sp.csr_array) -> ItemToItem:
    """Cosine between items, over all of them."""
    counts = together(baskets)
    norms = np.sqrt(np.maximum(counts.diagonal(), 1.0))
    cosine = counts / np.outer(norms, norms)
    np.fill_diagonal(cosine, 0.0)
    return ItemToItem(cosine.astype(np.float32))
