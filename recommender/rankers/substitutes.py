"""What may stand in for an ingredient: recipes use it alike, and seldom beside it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.models.baskets import Baskets

# What fewer recipes hold is left out: too little is known of it. Below 500 recipes that is nothing.
HELD_BY: Final = 0.002
# How much of the cosine it costs to stand beside an ingredient e times as often as by chance.
BESIDE: Final = 0.07


def find(number: int, vectors: NDArray[np.float32], baskets: Baskets) -> list[tuple[int, float]]:
    """Ingredients for ``number``, best first, with the cosine of the two; ``vectors`` (n, d) are units or zero.

    What is cooked with an ingredient has a vector like it, too. So a pair loses by how much oftener than by chance
    recipes hold both.
    """
    cosines = vectors @ vectors[number]
    holds = np.zeros(len(baskets), np.bool_)
    lengths = np.diff(baskets.starts)
    holds[np.repeat(np.arange(len(baskets)), lengths)[baskets.ingredients == number]] = True
    counts = np.bincount(baskets.ingredients, minlength=len(vectors))
    together = np.bincount(baskets.ingredients[np.repeat(holds, lengths)], minlength=len(vectors))
    by_chance = counts * counts[number] / len(baskets)
    beside = np.log(np.maximum((together + 1) / (by_chance + 1), 1))
    fit = (cosines > 0) & (counts >= HELD_BY * len(baskets))
    fit[number] = False
    worth = np.where(fit, cosines - BESIDE * beside, -np.inf)
    order = np.argsort(-worth, kind="stable")[: np.count_nonzero(fit)]
    return [(row, float(cosines[row])) for row in order.tolist()]
