"""EASE, a closed-form linear item-to-item model, on ingredients alone or on ingredients and the title."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from recommender.rankers.cases import BasketMatrix, Cases, Scores
from recommender.rankers.config import EaseConfig, TitleEaseConfig
from recommender.rankers.item_knn import ItemToItem, cooccurrence_counts
from recommender.rankers.ngrams import TitleFeatures


@dataclass(frozen=True)
class TitleEase:
    """EASE from the given items and the title's n-grams, with `weights` (items + features, items).

    A case without a title scores 0 everywhere: the weights were learnt with titles.
    """

    config: TitleEaseConfig
    features: TitleFeatures
    weights: NDArray[np.float16]

    def scores(self, cases: Cases) -> Scores:
        from_items, from_grams = self._weights
        scores = np.asarray(cases.given @ from_items + self.features.transform(cases.titles) @ from_grams, np.float32)
        scores[[not title for title in cases.titles]] = 0.0
        return scores

    @cached_property
    def _weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights from items and scaled weights from n-grams, in full precision."""
        weights = self.weights.astype(np.float32)
        items = weights.shape[1]
        return weights[:items], np.float32(self.config.title_scale) * weights[items:]


def fit_ease(baskets: BasketMatrix, config: EaseConfig) -> ItemToItem:
    """Fit EASE (Steck 2019) on baskets (recipes, items)."""
    return ItemToItem(_ease_weights(cooccurrence_counts(baskets), baskets.shape[1], config.penalty))


def fit_title_ease(
    baskets: BasketMatrix, titles: Sequence[str], features: TitleFeatures, config: TitleEaseConfig
) -> TitleEase:
    """Fit EASE on a recipe's items and the scaled n-grams of its title; weights are stored in half precision."""
    inputs = sp.hstack([baskets, config.title_scale * features.transform(titles)]).tocsr()
    weights = _ease_weights(cooccurrence_counts(inputs), baskets.shape[1], config.penalty)
    return TitleEase(config, features, weights.astype(np.float16))


def _ease_weights(gram: NDArray[np.float64], items: int, penalty: float) -> NDArray[np.float32]:
    """Ridge weights (inputs, items) under the constraint that no item predicts itself; overwrites `gram`."""
    gram[np.diag_indices_from(gram)] += penalty
    targets = np.zeros((len(gram), items))
    targets[np.arange(items), np.arange(items)] = 1.0
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, targets, overwrite_b=True, check_finite=False)
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0.0)
    # Row by row: a sparse matrix times one in columns would copy it for every case.
    return np.ascontiguousarray(weights, dtype=np.float32)
