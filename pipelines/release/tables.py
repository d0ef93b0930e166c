"""The tables of a release: recipes of a product, products of a recipe, similar products."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.sparse as sp

from pipelines.release.items import Items
from recommender.models.neighbours import BY_TEXT, NOTHING, NeighbourTable
from recommender.relations.facts import as_product
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.rank import rank
from recommender.relations.recipe_products import PRODUCTS_PER_INGREDIENT, recipe_offers
from recommender.relations.relation import Relation
from recommender.relations.similar_products import SimilarProducts
from recommender.relations.space import main_values

NEIGHBOURS: Final = 20


def product_recipes(items: Items) -> NeighbourTable:
    """Recipes to cook with each product; none for one with which nobody cooks."""
    ranked = rank(
        ProductRecipes(items.recipe_rows),
        items.rankers[Relation.PRODUCT_RECIPES],
        items.product_rows,
        NEIGHBOURS,
        items=items.recipe_rows.items,
        own=items.product_rows.items,
    )
    return _table(
        [[(found.row, found.score) for found in each] for each in ranked], items, items.recipe_rows.importance
    )


def similar_products(items: Items, sources: frozenset[str]) -> NeighbourTable:
    """Products of ``sources`` in place of each product, without listings of the product itself."""
    targets = items.rows_of(sources)
    rows = items.product_rows
    ranked = rank(
        SimilarProducts(rows.take(targets)),
        items.rankers[Relation.SIMILAR_PRODUCTS],
        rows,
        NEIGHBOURS,
        items=rows.items[targets],
        own=rows.items,
    )
    lists = [[(int(targets[found.row]), found.score) for found in each] for each in ranked]
    return _table(lists, items, rows.ingredients)


def recipe_products(items: Items) -> NeighbourTable:
    """Products to buy for each recipe, for its most important ingredients first."""
    by_ingredient = _products_by_ingredient(items)
    importance = items.recipe_rows.importance
    lists = []
    for start, stop in pairwise(importance.indptr.tolist()):
        names, weights = importance.indices[start:stop], importance.data[start:stop]
        best: dict[int, tuple[int, float, int]] = {}
        for (row, score, reason), weight in recipe_offers(names, weights, by_ingredient.__getitem__):
            best.setdefault(row, (row, weight * score, reason))
        lists.append(list(best.values()))
    return NeighbourTable.of(lists, NEIGHBOURS)


def _products_by_ingredient(items: Items) -> list[list[tuple[int, float, int]]]:
    """The best products of the mall and of broadcasters for each ingredient; the reason is the ingredient they hold."""
    names = items.space.names
    queries = items.space.products([as_product(name, name, name) for name in names])
    ranked = rank(
        SimilarProducts(items.product_rows),
        items.rankers[Relation.INGREDIENT_PRODUCTS],
        queries,
        PRODUCTS_PER_INGREDIENT,
        items=items.product_rows.items,
        own=queries.items,
    )
    holds = items.product_rows.ingredients.tocsc()
    holders = (set(holds.indices[start:stop].tolist()) for start, stop in pairwise(holds.indptr.tolist()))
    return [
        [(found.row, found.score, number if found.row in having else BY_TEXT) for found in each]
        for number, (each, having) in enumerate(zip(ranked, holders, strict=True))
    ]


def _table(lists: Sequence[Sequence[tuple[int, float]]], items: Items, holds: sp.csr_array) -> NeighbourTable:
    """Neighbours of each product; the reason is its main ingredient if the neighbour ``holds`` (rows, names) it."""
    table = NeighbourTable.of([[(row, score, BY_TEXT) for row, score in each] for each in lists], NEIGHBOURS)
    queries, places = np.nonzero(table.rows != NOTHING)
    mains = items.product_rows.mains[queries]
    shared = main_values(mains, holds[table.rows[queries, places]]) > 0
    table.reasons[queries[shared], places[shared]] = mains[shared]
    return table
