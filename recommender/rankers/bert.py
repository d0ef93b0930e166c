"""Ranker by the recipes with the most similar text, by the sentence encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.rankers.cases import BasketMatrix, Cases, Scores
from recommender.rankers.nearest import scores_by_nearest
from recommender.rankers.word2vec import unit

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class NearestByText:
    """Nearest recipes by `vectors` (recipes, dimensions) of title and ingredients; `names` (items,) are encoded."""

    encode: Encode
    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    baskets: BasketMatrix
    neighbours: int = 50

    def scores(self, cases: Cases) -> Scores:
        return scores_by_nearest(cases, self.baskets, self.neighbours, self._similarity)

    def _similarity(self, cases: Cases) -> NDArray[np.float32]:
        lists = [[self.names[item] for item in cases.given[[row]].indices] for row in range(len(cases))]
        return recipe_vectors(self.encode, cases.titles, lists) @ self.vectors.T


def ingredient_text(names: Sequence[str]) -> str:
    """The text that the encoder reads for a list of ingredients."""
    return " ".join(names)


def recipe_vectors(encode: Encode, titles: Sequence[str], lists: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Unit vectors (recipes, dimensions): the mean of title and ingredients; without a title the ingredients alone."""
    ingredients = encode([ingredient_text(names) for names in lists])
    has_title = np.array([bool(title.strip()) for title in titles], dtype=np.float32)
    return unit(ingredients + has_title[:, None] * encode([title.strip() or "-" for title in titles]))
