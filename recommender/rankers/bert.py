"""The ranker that asks recipes whose text is near, by the sentence encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.rankers.cases import Baskets, Cases, Scores
from recommender.rankers.nearest import by_chunks
from recommender.rankers.word2vec import unit

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class NearestByText:
    """Recipes whose `vectors` (recipes, dimensions) are near the case's; `names` (items,) are what is encoded."""

    encode: Encode
    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    baskets: Baskets
    neighbours: int = 50

    def scores(self, cases: Cases) -> Scores:
        return by_chunks(cases, self.baskets, self.neighbours, self._similarity)

    def _similarity(self, cases: Cases) -> NDArray[np.float32]:
        lists = [[self.names[item] for item in cases.given[[row]].indices] for row in range(len(cases))]
        return recipe_vectors(self.encode, cases.titles, lists) @ self.vectors.T


def ingredient_text(names: Sequence[str]) -> str:
    """What the encoder reads for a list of ingredients."""
    return " ".join(names)


def recipe_vectors(encode: Encode, titles: Sequence[str], lists: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Unit vectors (recipes, dimensions): the middle between a recipe's title, where it has one, and ingredients."""
    ingredients = encode([ingredient_text(names) for names in lists])
    has_title = np.array([bool(title.strip()) for title in titles], dtype=np.float32)
    return unit(ingredients + has_title[:, None] * encode([title.strip() or "-" for title in titles]))
