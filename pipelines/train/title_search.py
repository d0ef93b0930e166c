"""How well a text encoder finds the recipe that a title or a list of ingredients belongs to."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.train.corpora import RecipeCorpus
from recommender.rankers.bert import ingredient_text
from recommender.text.titles import plain

LEAST_INGREDIENTS: Final = 4


def finding(corpus: RecipeCorpus, encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> dict[str, float]:
    """Search each title among the ingredient lists of all recipes of `corpus`: share in the first ten, and mean
    reciprocal rank. Recipes of fewer than four ingredients or the very same list as another are left out.
    """
    lists = {
        ingredient_text(basket): row for row, basket in enumerate(corpus.baskets) if len(basket) >= LEAST_INGREDIENTS
    }
    if not lists:
        return {"recipes": 0, "recall@10": 0.0, "mrr": 0.0}
    found = encode([plain(corpus.titles[row]) for row in lists.values()]) @ encode(list(lists)).T
    ranks = 1 + (found > found.diagonal()[:, None]).sum(axis=1)
    return {"recipes": len(ranks), "recall@10": float((ranks <= 10).mean()), "mrr": float((1 / ranks).mean())}
