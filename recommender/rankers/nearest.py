"""Rankers that ask the most similar recipes what they contain."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.cases import Baskets, Cases, Scores
from recommender.rankers.ngrams import TitleFeatures

CHUNK = 512


@dataclass(frozen=True)
class NearestRecipes:
    """Recipes similar by ingredients, and by the n-grams of the title where the case has one.

    `baskets` (recipes, items) of ones, `weights` (items,), `titles` (recipes, features).
    """

    baskets: Baskets
    weights: NDArray[np.float32]
    features: TitleFeatures
    titles: Baskets
    by_title: float = 0.6
    neighbours: int = 50

    def scores(self, cases: Cases) -> Scores:
        return by_chunks(cases, self.baskets, self.neighbours, self._similarity)

    def _similarity(self, cases: Cases) -> NDArray[np.float32]:
        by_ingredients, by_title = self._recipes
        titled = np.array([self.by_title if title else 0.0 for title in cases.titles], dtype=np.float32)[:, None]
        ingredients = (_weighted(cases.given, self.weights) @ by_ingredients).toarray()
        titles = (self.features.transform(cases.titles) @ by_title).toarray()
        found: NDArray[np.float32] = titled * titles + (1 - titled) * ingredients
        return found

    @cached_property
    def _recipes(self) -> tuple[Baskets, Baskets]:
        """Weighted ingredients (items, recipes) and titles (features, recipes)."""
        return _weighted(self.baskets, self.weights).T.tocsr(), self.titles.T.tocsr()


def information(baskets: Baskets) -> NDArray[np.float32]:
    """How much an item (items,) tells of a recipe: log(recipes / recipes with it)."""
    counts = np.asarray(baskets.sum(axis=0), dtype=np.float64).ravel()
    return np.log((1 + baskets.shape[0]) / (1 + counts)).astype(np.float32)


def by_chunks(
    cases: Cases, baskets: Baskets, neighbours: int, similarity: Callable[[Cases], NDArray[np.float32]]
) -> Scores:
    """Scores (cases, items): the items of the nearest recipes, each recipe with its cubed similarity.

    `similarity` gives (cases, recipes) for a chunk of cases; a negative one counts as 0.
    """
    scores = np.zeros((len(cases), baskets.shape[1]), dtype=np.float32)
    take = min(neighbours, baskets.shape[0])
    if not take:
        return scores
    for start in range(0, len(cases), CHUNK):
        found = similarity(cases.rows(start, start + CHUNK))
        nearest = np.argpartition(-found, take - 1, axis=1)[:, :take]
        weights = np.maximum(np.take_along_axis(found, nearest, axis=1), 0.0) ** 3
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        starts = np.arange(0, found.shape[0] * take + 1, take)
        asked = sp.csr_array((weights.ravel(), nearest.ravel(), starts), shape=found.shape)
        scores[start : start + CHUNK] = (asked @ baskets).toarray()
    return scores


def _weighted(baskets: Baskets, weights: NDArray[np.float32]) -> Baskets:
    """Rows scaled by `weights`, then to length 1."""
    scaled = sp.csr_array(baskets.multiply(weights[None, :]))
    lengths = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(lengths == 0, 1.0, lengths)) @ scaled).astype(np.float32)
