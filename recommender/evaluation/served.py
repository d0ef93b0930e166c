"""Evaluation of what a release serves: recipes of a product, and the text index."""

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.results import IndexEvaluation, ServedEvaluation
from recommender.models.neighbours import NeighbourTable


def evaluate_served(
    product_ingredients: Sequence[Sequence[str]],
    recipe_ingredients: Sequence[Sequence[str]],
    product_recipes: NeighbourTable,
    k: int = 10,
) -> ServedEvaluation:
    """Count which of the first ``k`` recipes of a product contain one of its ingredients.

    Products without a resolved ingredient are not counted.
    """
    recipes = with_ingredient = answered = 0
    for position, ingredients in enumerate(product_ingredients):
        if not ingredients:
            continue
        rows = [row for row, _, _ in product_recipes.of_row(position, k)]
        answered += bool(rows)
        recipes += len(rows)
        with_ingredient += sum(not set(ingredients).isdisjoint(recipe_ingredients[row]) for row in rows)
    return ServedEvaluation(
        products=len(product_ingredients),
        products_resolved=sum(bool(ingredients) for ingredients in product_ingredients),
        products_answered=answered,
        recipes_shown=recipes,
        contains_ingredient=with_ingredient / recipes if recipes else None,
    )


def evaluate_index(index: faiss.Index, vectors: NDArray[np.float32], queries: int = 200) -> IndexEvaluation:
    """Share of the exact ten nearest of ``vectors`` (n, d) that ``index`` returns, over evenly spaced rows."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(queries, len(vectors))).astype(int))
    k = min(10, len(vectors))
    _, returned = index.search(vectors[rows], k)
    cosines = vectors[rows] @ vectors.T
    exact = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    # Equal texts tie: the cosine that is reached counts, not which of them was returned.
    reached = np.take_along_axis(cosines, returned, axis=1)
    worst = np.take_along_axis(cosines, exact[:, -1:], axis=1)
    return IndexEvaluation(recall_at_10=float((reached >= worst - 1e-5).mean()))
