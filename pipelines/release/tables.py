"""The neighbour tables of a release: recipes of a product, products of a recipe, similar products."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from pipelines.release.food_products import FoodProduct
from recommender.models.baskets import Baskets
from recommender.models.neighbours import BY_TEXT, NeighbourTable
from recommender.models.recipe_corpus import RecipeCorpus

NEIGHBOURS: Final = 20
# Recipes of an ingredient, most important first, that are compared with a product's title.
COMPARED_RECIPES: Final = 300
# Weights of the signs that an ingredient is important in a recipe.
IN_TITLE, LISTED_EARLY, ONE_OF_FEW = 1.0, 0.5, 0.3
# Weights of a recipe's other features for a product.
SHARED_INGREDIENT, TEXT_SIMILARITY, POPULARITY = 0.6, 0.5, 0.2
# Weights for two products: of the main ingredient, of all shared ingredients, of both being raw or both finished.
SAME_MAIN, SAME_INGREDIENTS, SAME_KIND = 1.0, 0.5, 0.3
# Titles with a lower cosine are unrelated.
MIN_COSINE: Final = 0.35
PRODUCTS_PER_INGREDIENT: Final = 3

Scored = list[tuple[int, float, int]]


@dataclass(frozen=True)
class Items:
    """Recipes and products with the unit vectors of their titles: ``recipe_texts`` (r, d), ``product_texts`` (p, d)."""

    corpus: RecipeCorpus
    products: Sequence[FoodProduct]
    names: tuple[str, ...]
    recipe_texts: NDArray[np.float32]
    product_texts: NDArray[np.float32]

    @cached_property
    def texts(self) -> NDArray[np.float32]:
        """Vectors (r + p, d) of all titles, recipes first."""
        return np.concatenate([self.recipe_texts, self.product_texts])

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each ingredient name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def baskets(self) -> Baskets:
        """Ingredient numbers of the recipes."""
        return Baskets.of([[self.numbers[name] for name in basket] for basket in self.corpus.baskets])

    @cached_property
    def product_ingredients(self) -> list[list[int]]:
        """Ingredient numbers of each product, the main one first; names that no recipe uses are left out."""
        return [[self.numbers[n] for n in product.ingredients if n in self.numbers] for product in self.products]

    @cached_property
    def popularity(self) -> NDArray[np.float32]:
        """Popularity of the recipes, scaled to 0 … 1."""
        most = float(self.corpus.popularity.max(initial=0.0)) or 1.0
        return (self.corpus.popularity / most).astype(np.float32)

    @cached_property
    def recipes_by_ingredient(self) -> list[NDArray[np.int32]]:
        """Rows of the recipes with each ingredient, those first in which it is most important."""
        recipes = self.baskets.recipes_by_ingredient(len(self.names))
        return [self._by_importance(number, rows) for number, rows in enumerate(recipes)]

    def importance(self, number: int, row: int) -> float:
        """Importance of an ingredient in a recipe: named in the title, listed early, one of few."""
        listed: list[int] = self.baskets.of_recipe(row).tolist()
        named = IN_TITLE if self.names[number] in self.corpus.titles[row] else 0.0
        return (
            named + LISTED_EARLY * (1 - listed.index(number) / len(listed)) + ONE_OF_FEW / float(np.sqrt(len(listed)))
        )

    def _by_importance(self, number: int, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        scores = np.array([self.importance(number, row) for row in rows.tolist()], dtype=np.float32)
        return rows[np.lexsort((rows, -scores - POPULARITY * self.popularity[rows]))]


def product_recipes(items: Items) -> NeighbourTable:
    """Recipes of each product: those with its main ingredient; without one, those with a similar title."""
    similar = _nearest(items.product_texts, items.recipe_texts)
    lists = [
        _recipes_by_main_ingredient(items, position, numbers)
        if numbers
        else _distinct_titles(items, [(row, score, BY_TEXT) for row, score in similar[position]])
        for position, numbers in enumerate(items.product_ingredients)
    ]
    return NeighbourTable.of(lists, NEIGHBOURS)


def recipe_products(items: Items) -> NeighbourTable:
    """Products of each recipe: those of its most important ingredients first, raw and popular ones before others."""
    by_ingredient = _products_by_ingredient(items)
    return NeighbourTable.of(
        [_shopping_list(items, row, by_ingredient) for row in range(len(items.corpus))], NEIGHBOURS
    )


def similar_products(items: Items, sources: frozenset[str]) -> NeighbourTable:
    """Products of ``sources`` similar to each product: by ingredients, by kind and by title."""
    targets = [row for row, product in enumerate(items.products) if product.source in sources]
    similar = _nearest(items.product_texts, items.product_texts[targets])
    by_ingredient: dict[int, list[int]] = {}
    for row in targets:
        for number in items.product_ingredients[row]:
            by_ingredient.setdefault(number, []).append(row)
    lists: list[Scored] = []
    for position, numbers in enumerate(items.product_ingredients):
        by_text = [targets[column] for column, score in similar[position] if score >= MIN_COSINE]
        candidates = {row for number in numbers for row in by_ingredient.get(number, ())} | set(by_text)
        candidates.discard(position)
        scored = (_similarity(items, position, row) for row in candidates)
        lists.append(sorted(scored, key=lambda each: (-each[1], each[0])))
    return NeighbourTable.of(lists, NEIGHBOURS)


def _recipes_by_main_ingredient(items: Items, position: int, numbers: Sequence[int]) -> Scored:
    """Recipes with the product's main ingredient, ordered by its other ingredients, its title and popularity."""
    main = numbers[0]
    rows = items.recipes_by_ingredient[main][:COMPARED_RECIPES]
    scores = TEXT_SIMILARITY * (items.recipe_texts[rows] @ items.product_texts[position])
    scores += POPULARITY * items.popularity[rows]
    scores += np.array([items.importance(main, row) for row in rows.tolist()], dtype=np.float32)
    for number in numbers[1:]:
        scores += SHARED_INGREDIENT * np.isin(rows, items.recipes_by_ingredient[number])
    order = np.lexsort((rows, -scores))
    return _distinct_titles(items, [(int(rows[column]), float(scores[column]), main) for column in order])


def _distinct_titles(items: Items, recipes: Scored) -> Scored:
    """The first ``NEIGHBOURS`` recipes with different titles."""
    distinct: dict[str, tuple[int, float, int]] = {}
    for each in recipes:
        distinct.setdefault(items.corpus.titles[each[0]], each)
        if len(distinct) == NEIGHBOURS:
            break
    return list(distinct.values())


def _products_by_ingredient(items: Items) -> dict[int, list[tuple[int, float]]]:
    """(product row, score) by main ingredient: raw before finished, then by reviews."""
    products: dict[int, list[tuple[int, float]]] = {}
    for row, (product, numbers) in enumerate(zip(items.products, items.product_ingredients, strict=True)):
        if numbers:
            score = float(product.is_ingredient) + float(np.log1p(product.popularity)) / 20
            products.setdefault(numbers[0], []).append((row, score))
    return {number: sorted(rows, key=lambda pair: (-pair[1], pair[0])) for number, rows in products.items()}


def _shopping_list(items: Items, row: int, by_ingredient: dict[int, list[tuple[int, float]]]) -> Scored:
    """The best product of every important ingredient, then the second best of each, and so on."""
    listed = [number for number in items.baskets.of_recipe(row).tolist() if number in by_ingredient]
    listed.sort(key=lambda number: -items.importance(number, row))
    weights = {number: items.importance(number, row) for number in listed}
    offers = [[(p, weights[n] * score, n) for p, score in by_ingredient[n][:PRODUCTS_PER_INGREDIENT]] for n in listed]
    return [offer for tier in zip_longest(*offers) for offer in tier if offer is not None]


def _similarity(items: Items, position: int, row: int) -> tuple[int, float, int]:
    ours, theirs = items.product_ingredients[position], items.product_ingredients[row]
    shared = [number for number in ours if number in theirs]
    score = float(items.product_texts[position] @ items.product_texts[row])
    score += SAME_INGREDIENTS * len(shared) / max(len(ours), 1)
    score += SAME_MAIN * bool(ours and theirs and ours[0] == theirs[0])
    score += SAME_KIND * (items.products[position].is_ingredient == items.products[row].is_ingredient)
    return row, score, shared[0] if shared else BY_TEXT


def _nearest(queries: NDArray[np.float32], vectors: NDArray[np.float32]) -> list[list[tuple[int, float]]]:
    """The nearest (row, cosine) of ``vectors`` for each query, by exact search."""
    if not len(vectors) or not len(queries):
        return [[] for _ in queries]
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    scores, rows = index.search(np.ascontiguousarray(queries), min(NEIGHBOURS, len(vectors)))
    return list(_pairs(rows, scores))


def _pairs(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> Iterator[list[tuple[int, float]]]:
    for numbers, values in zip(rows.tolist(), scores.tolist(), strict=True):
        yield list(zip(numbers, values, strict=True))
