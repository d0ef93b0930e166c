"""Rankers that score items by the contents of the most similar recipes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.cases import BasketMatrix, Cases, Scores
from recommender.rankers.config import NearestConfig
from recommender.rankers.ngrams import TitleFeatures

# Pairs of a case and a recipe that are compared at a time; bounds the memory.
PAIRS: Final = 1 << 23


@dataclass(frozen=True)
class NearestRecipes:
    """Nearest recipes by ingredients, and by the n-grams of the title if the case has one.

    `baskets` (recipes, items) of ones, `idf` (items,), `titles` (recipes, features).
    """

    config: NearestConfig
    baskets: BasketMatrix
    idf: NDArray[np.float32]
    features: TitleFeatures
    titles: sp.csr_array

    def scores(self, cases: Cases) -> Scores:
        return scores_by_nearest(cases, self.baskets, self.config.neighbours, self._similarity)

    def _similarity(self, cases: Cases) -> NDArray[np.float32]:
        recipe_ingredients, recipe_titles = self._transposed
        title_weights = [self.config.title_weight if title else 0.0 for title in cases.titles]
        title_share = np.array(title_weights, dtype=np.float32)[:, None]
        by_ingredients = (_weighted(cases.given, self.idf) @ recipe_ingredients).toarray()
        by_title = (self.features.transform(cases.titles) @ recipe_titles).toarray()
        similarity: NDArray[np.float32] = title_share * by_title + (1 - title_share) * by_ingredients
        return similarity

    @cached_property
    def _transposed(self) -> tuple[sp.csr_array, sp.csr_array]:
        """Weighted ingredients (items, recipes) and titles (features, recipes)."""
        return _weighted(self.baskets, self.idf).T.tocsr(), self.titles.T.tocsr()


def inverse_document_frequency(baskets: BasketMatrix) -> NDArray[np.float32]:
    """IDF (items,) of baskets (recipes, items): log((1 + recipes) / (1 + recipes with the item))."""
    counts = np.asarray(baskets.sum(axis=0), dtype=np.float64).ravel()
    return np.log((1 + baskets.shape[0]) / (1 + counts)).astype(np.float32)


def scores_by_nearest(
    cases: Cases, baskets: BasketMatrix, neighbours: int, similarity: Callable[[Cases], NDArray[np.float32]]
) -> Scores:
    """Scores (cases, items): the items of the nearest recipes, each recipe weighted by its cubed similarity.

    `similarity` returns (cases, recipes) for a chunk of cases; a negative one counts as 0.
    """
    scores = np.zeros((len(cases), baskets.shape[1]), dtype=np.float32)
    take = min(neighbours, baskets.shape[0])
    if not take:
        return scores
    chunk = max(1, PAIRS // baskets.shape[0])
    for start in range(0, len(cases), chunk):
        similarities = similarity(cases.rows(start, start + chunk))
        nearest = np.argpartition(-similarities, take - 1, axis=1)[:, :take]
        weights = np.maximum(np.take_along_axis(similarities, nearest, axis=1), 0.0) ** 3
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        starts = np.arange(0, similarities.shape[0] * take + 1, take)
        weighted = sp.csr_array((weights.ravel(), nearest.ravel(), starts), shape=similarities.shape)
        scores[start : start + chunk] = (weighted @ baskets).toarray()
    return scores


def _weighted(baskets: BasketMatrix, weights: NDArray[np.float32]) -> BasketMatrix:
    """Rows scaled by `weights`, then to length 1."""
    scaled = sp.csr_array(baskets.multiply(weights[None, :]))
    lengths = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(lengths == 0, 1.0, lengths)) @ scaled).astype(np.float32)
