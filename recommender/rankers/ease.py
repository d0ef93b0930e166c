"""EASE: the closed-form linear item-to-item model, from ingredients alone or from ingredients and the title."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from recommender.rankers.cases import Cases, Scores
from recommender.rankers.item_knn import ItemToItem, together
from recommender.rankers.ngrams import TitleFeatures


@dataclass(frozen=True)
class TitleEase:
    """Score of an item: its `weights` (items + features, items) from the given items and the title's n-grams.

    A case without a title scores 0 everywhere: its weights were learnt with one.
    """

    features: TitleFeatures
    scale: float
    weights: NDArray[np.float16]

    def scores(self, cases: Cases) -> Scores:
        from_items, from_grams = self._inputs
        scores = np.asarray(cases.given @ from_items + self.features.transform(cases.titles) @ from_grams, np.float32)
        scores[[not title for title in cases.titles]] = 0.0
        return scores

    @cached_property
    def _inputs(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The weights from items and from n-grams, ready to multiply; they are kept at half the precision."""
        weights = self.weights.astype(np.float32)
        items = weights.shape[1]
        return weights[:items], np.float32(self.scale) * weights[items:]


def ease(baskets: sp.csr_array, penalty: float) -> ItemToItem:
    """EASE (Steck 2019) from baskets (recipes, items), with ridge `penalty`."""
    return ItemToItem(_weights(together(baskets), baskets.shape[1], penalty))


def title_ease(
    baskets: sp.csr_array, titles: Sequence[str], features: TitleFeatures, *, scale: float, penalty: float
) -> TitleEase:
    """EASE whose inputs are a recipe's items and, times `scale`, the n-grams of its title."""
    inputs = sp.hstack([baskets, scale * features.transform(titles)]).tocsr()
    return TitleEase(features, scale, _weights(together(inputs), baskets.shape[1], penalty).astype(np.float16))


def _weights(gram: NDArray[np.float64], items: int, penalty: float) -> NDArray[np.float32]:
    """Ridge weights (inputs, items) under the constraint that no item predicts itself."""
    gram[np.diag_indices_from(gram)] += penalty
    targets = np.zeros((len(gram), items))
    targets[np.arange(items), np.arange(items)] = 1.0
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, targets, overwrite_b=True, check_finite=False)
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, dtype=np.float32)
