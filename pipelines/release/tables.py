"""The neighbour tables of a release: which recipes go with a product, which products with a recipe or a product."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from pipelines.release.food_products import FoodProduct
from pipelines.train.corpora import RecipeCorpus
from recommender.models.baskets import Baskets
from recommender.models.neighbours import BY_TEXT, NeighbourTable

NEIGHBOURS: Final = 20
# Of an ingredient's recipes, the best of these many by importance are compared with a product's title.
COMPARED: Final = 300
# How much each sign says that an ingredient matters in a recipe, and how much likeness of texts and popularity add.
IN_TITLE, EARLY, FEW, MORE_SHARED, LIKENESS, POPULARITY = 1.0, 0.5, 0.3, 0.6, 0.5, 0.2
SAME_MAIN, SAME_SHARED, SAME_KIND = 1.0, 0.5, 0.3
# Below this cosine two titles have nothing to do with each other.
ALIKE: Final = 0.35
PER_INGREDIENT: Final = 3

Found = list[tuple[int, float, int]]


@dataclass(frozen=True)
class Items:
    """Recipes and products with unit vectors of their titles: ``recipe_texts`` (r, d), ``product_texts`` (p, d)."""

    corpus: RecipeCorpus
    products: Sequence[FoodProduct]
    names: tuple[str, ...]
    recipe_texts: NDArray[np.float32]
    product_texts: NDArray[np.float32]

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
        """Ingredient numbers of each product, the main one first; names that no recipe knows are left out."""
        return [[self.numbers[n] for n in product.ingredients if n in self.numbers] for product in self.products]

    @cached_property
    def popularity(self) -> NDArray[np.float32]:
        """Popularity of the recipes, scaled to 0 … 1."""
        most = float(self.corpus.popularity.max(initial=0.0)) or 1.0
        return (self.corpus.popularity / most).astype(np.float32)

    @cached_property
    def holders(self) -> list[NDArray[np.int32]]:
        """Rows of the recipes that hold each ingredient, those first in which it matters most."""
        return [self._by_importance(number, rows) for number, rows in enumerate(self.baskets.holders(len(self.names)))]

    def importance(self, number: int, row: int) -> float:
        """How much an ingredient matters in a recipe: named in the title, listed early, one of few."""
        listed: list[int] = self.baskets.of_recipe(row).tolist()
        named = IN_TITLE if self.names[number] in self.corpus.titles[row] else 0.0
        return named + EARLY * (1 - listed.index(number) / len(listed)) + FEW / float(np.sqrt(len(listed)))

    def _by_importance(self, number: int, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        scores = np.array([self.importance(number, row) for row in rows.tolist()], dtype=np.float32)
        return rows[np.lexsort((rows, -scores - POPULARITY * self.popularity[rows]))]


def product_recipes(items: Items) -> NeighbourTable:
    """Recipes of each product: those that hold its main ingredient; without one, those with a title like its own."""
    alike = _nearest(items.product_texts, items.recipe_texts)
    lists = [
        _recipes_holding(items, position, numbers)
        if numbers
        else _once_a_title(items, [(row, score, BY_TEXT) for row, score in alike[position]])
        for position, numbers in enumerate(items.product_ingredients)
    ]
    return NeighbourTable.of(lists, NEIGHBOURS)


def recipe_products(items: Items) -> NeighbourTable:
    """Products of each recipe: by ingredient, the most important first, the raw ones that people like best."""
    by_ingredient = _products_by_ingredient(items)
    return NeighbourTable.of(
        [_shopping_list(items, row, by_ingredient) for row in range(len(items.corpus))], NEIGHBOURS
    )


def similar_products(items: Items, sources: frozenset[str]) -> NeighbourTable:
    """Products of ``sources`` like each product: of one ingredient, of one kind, with a title like its own."""
    targets = [row for row, product in enumerate(items.products) if product.source in sources]
    alike = _nearest(items.product_texts, items.product_texts[targets])
    holding: dict[int, list[int]] = {}
    for row in targets:
        for number in items.product_ingredients[row]:
            holding.setdefault(number, []).append(row)
    lists: list[Found] = []
    for position, numbers in enumerate(items.product_ingredients):
        by_text = [targets[column] for column, score in alike[position] if score >= ALIKE]
        candidates = {row for number in numbers for row in holding.get(number, ())} | set(by_text)
        candidates.discard(position)
        scored = (_similarity(items, position, row) for row in candidates)
        lists.append(sorted(scored, key=lambda found: (-found[1], found[0])))
    return NeighbourTable.of(lists, NEIGHBOURS)


def _recipes_holding(items: Items, position: int, numbers: Sequence[int]) -> Found:
    """The main ingredient decides; the product's others, its title and popularity order what holds it."""
    main = numbers[0]
    rows = items.holders[main][:COMPARED]
    scores = LIKENESS * (items.recipe_texts[rows] @ items.product_texts[position])
    scores += POPULARITY * items.popularity[rows]
    scores += np.array([items.importance(main, row) for row in rows.tolist()], dtype=np.float32)
    for number in numbers[1:]:
        scores += MORE_SHARED * np.isin(rows, items.holders[number])
    order = np.lexsort((rows, -scores))
    return _once_a_title(items, [(int(rows[column]), float(scores[column]), main) for column in order])


def _once_a_title(items: Items, found: Found) -> Found:
    """The first ``NEIGHBOURS`` with different titles: two recipes of one dish side by side help nobody."""
    distinct: dict[str, tuple[int, float, int]] = {}
    for each in found:
        distinct.setdefault(items.corpus.titles[each[0]], each)
        if len(distinct) == NEIGHBOURS:
            break
    return list(distinct.values())


def _products_by_ingredient(items: Items) -> dict[int, list[tuple[int, float]]]:
    """(product row, score) by main ingredient: raw before finished, then by reviews."""
    found: dict[int, list[tuple[int, float]]] = {}
    for row, (product, numbers) in enumerate(zip(items.products, items.product_ingredients, strict=True)):
        if numbers:
            score = float(product.is_ingredient) + float(np.log1p(product.popularity)) / 20
            found.setdefault(numbers[0], []).append((row, score))
    return {number: sorted(rows, key=lambda pair: (-pair[1], pair[0])) for number, rows in found.items()}


def _shopping_list(items: Items, row: int, by_ingredient: dict[int, list[tuple[int, float]]]) -> Found:
    listed = [number for number in items.baskets.of_recipe(row).tolist() if number in by_ingredient]
    listed.sort(key=lambda number: -items.importance(number, row))
    weights = {number: items.importance(number, row) for number in listed}
    offers = [[(p, weights[n] * score, n) for p, score in by_ingredient[n][:PER_INGREDIENT]] for n in listed]
    # The best product of every ingredient before the second best of any.
    return [offer for tier in zip_longest(*offers) for offer in tier if offer is not None]


def _similarity(items: Items, position: int, row: int) -> tuple[int, float, int]:
    ours, theirs = items.product_ingredients[position], items.product_ingredients[row]
    shared = [number for number in ours if number in theirs]
    score = float(items.product_texts[position] @ items.product_texts[row])
    score += SAME_SHARED * len(shared) / max(len(ours), 1)
    score += SAME_MAIN * bool(ours and theirs and ours[0] == theirs[0])
    score += SAME_KIND * (items.products[position].is_ingredient == items.products[row].is_ingredient)
    return row, score, shared[0] if shared else BY_TEXT


def _nearest(queries: NDArray[np.float32], vectors: NDArray[np.float32]) -> list[list[tuple[int, float]]]:
    """For each query the nearest (row, cosine) of ``vectors``, exactly."""
    if not len(vectors) or not len(queries):
        return [[] for _ in queries]
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    scores, rows = index.search(np.ascontiguousarray(queries), min(NEIGHBOURS, len(vectors)))
    return list(_pairs(rows, scores))


def _pairs(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> Iterator[list[tuple[int, float]]]:
    for found, values in zip(rows.tolist(), scores.tolist(), strict=True):
        yield list(zip(found, values, strict=True))
