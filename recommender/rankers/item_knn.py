"""Item-to-item rankers and baselines: popularity, co-occurrence, item-kNN."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.rankers.cases import BasketMatrix, Cases, Scores


@dataclass(frozen=True)
class ItemToItem:
    """Scores an item by the sum of `weights` (items, items) from the given items to it."""

    weights: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        return np.asarray(cases.given @ self.weights, dtype=np.float32)


@dataclass(frozen=True)
class Popularity:
    """Scores an item by its number of recipes, `counts` (items,): the same for every case."""

    counts: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        return np.tile(self.counts, (len(cases), 1))


def fit_popularity(baskets: BasketMatrix) -> Popularity:
    """Count the recipes of each item in baskets (recipes, items)."""
    return Popularity(np.asarray(baskets.sum(axis=0), dtype=np.float32).ravel())


def cooccurrence_counts(baskets: BasketMatrix) -> NDArray[np.float64]:
    """Number of baskets (items, items) that contain both items; the diagonal counts each item."""
    return np.asarray((baskets.T @ baskets).toarray(), dtype=np.float64)


def fit_cooccurrence(baskets: BasketMatrix) -> ItemToItem:
    """Score by the number of recipes that contain both items."""
    counts = cooccurrence_counts(baskets)
    np.fill_diagonal(counts, 0.0)
    return ItemToItem(counts.astype(np.float32))


def fit_item_knn(baskets: BasketMatrix) -> ItemToItem:
    """Score by the cosine between items, over all items."""
    counts = cooccurrence_counts(baskets)
    norms = np.sqrt(np.maximum(counts.diagonal(), 1.0))
    cosine = counts / np.outer(norms, norms)
    np.fill_diagonal(cosine, 0.0)
    return ItemToItem(cosine.astype(np.float32))
