"""Substitutes of an ingredient: similar by vector, and seldom in the same recipe."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.models.baskets import Baskets

# Ingredients of a smaller share of recipes have unreliable vectors. Below 500 recipes nothing is left out.
MIN_RECIPE_SHARE: Final = 0.002
# Reduction of the cosine for each factor e by which a pair co-occurs more often than by chance.
COOCCURRENCE_PENALTY: Final = 0.07


def find_substitutes(number: int, vectors: NDArray[np.float32], baskets: Baskets) -> list[tuple[int, float]]:
    """Substitutes of ingredient ``number``, best first, with their cosine; ``vectors`` (n, d) are units or zero.

    Complements have similar vectors too, so a pair that co-occurs more often than by chance is ranked lower.
    """
    cosines = vectors @ vectors[number]
    contains = np.zeros(len(baskets), np.bool_)
    lengths = np.diff(baskets.starts)
    contains[np.repeat(np.arange(len(baskets)), lengths)[baskets.ingredients == number]] = True
    counts = np.bincount(baskets.ingredients, minlength=len(vectors))
    together = np.bincount(baskets.ingredients[np.repeat(contains, lengths)], minlength=len(vectors))
    by_chance = counts * counts[number] / len(baskets)
    excess = np.log(np.maximum((together + 1) / (by_chance + 1), 1))
    eligible = (cosines > 0) & (counts >= MIN_RECIPE_SHARE * len(baskets))
    eligible[number] = False
    ranking = np.where(eligible, cosines - COOCCURRENCE_PENALTY * excess, -np.inf)
    order = np.argsort(-ranking, kind="stable")[: np.count_nonzero(eligible)]
    return [(row, float(cosines[row])) for row in order.tolist()]
