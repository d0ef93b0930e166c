"""Pairs of texts that belong together, in random batches: what the sentence encoder learns to bring together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipelines.train.bert_data import TrainingData
from pipelines.train.spelling_noise import noisy
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import ingredient_text
from recommender.text.titles import plain

T = TypeVar("T")


@dataclass(frozen=True)
class PairShares:
    """How many pairs of each kind a batch has, relative to the others; kinds without data are left out."""

    recipe: float = 5.0
    ingredient: float = 1.5
    product: float = 1.5
    category: float = 1.0
    spelling: float = 1.0


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together. Pairs of the same group are no counterexamples to each other."""

    first: str
    second: str
    group: tuple[str, str]


Draw = Callable[[np.random.Generator], Pair]


def batches(
    data: TrainingData, shares: PairShares, ingredient_share: float, size: int, random: np.random.Generator
) -> Iterator[list[Pair]]:
    """Endless batches of `size` random pairs, of each kind its share."""
    kinds = {
        "recipe": _recipe_pairs(data.recipes, ingredient_share),
        "ingredient": _ingredient_pairs(data),
        "product": _product_pairs(data),
        "category": _category_pairs(data),
        "spelling": _spelling_pairs(data),
    }
    draws = {kind: draw for kind, draw in kinds.items() if draw is not None}
    weights = np.array([getattr(shares, kind) for kind in draws])
    bounds = np.round(np.cumsum(weights) / weights.sum() * size).astype(int)
    counts = np.diff(bounds, prepend=0).tolist()
    while True:
        yield [draw(random) for draw, count in zip(draws.values(), counts, strict=True) for _ in range(count)]


def _recipe_pairs(recipes: RecipeCorpus, share: float) -> Draw | None:
    """A recipe's title and a random part of its ingredients, against overfitting."""
    rows = [row for row, basket in enumerate(recipes.baskets) if basket and recipes.titles[row].strip()]

    def draw(random: np.random.Generator) -> Pair:
        row = _one_of(rows, random)
        title, basket = plain(recipes.titles[row]), recipes.baskets[row]
        names = [name for name in basket if random.random() < share] or [basket[0]]
        random.shuffle(names)
        return Pair(title, ingredient_text(names), ("recipe", title))

    return draw if rows else None


def _ingredient_pairs(data: TrainingData) -> Draw | None:
    """A product's title and its ingredients."""
    products = [product for product in data.products if product.ingredients and product.text]

    def draw(random: np.random.Generator) -> Pair:
        product = _one_of(products, random)
        return Pair(product.text, ingredient_text(product.ingredients), ("ingredient", product.ingredients[0]))

    return draw if products else None


def _product_pairs(data: TrainingData) -> Draw | None:
    """Titles of two products with the same main ingredient, both raw or both finished."""
    products = [product for product in data.products if product.ingredients and product.text]
    return _pairs_in_groups(
        "ingredient", (((product.ingredients[0], str(product.is_ingredient)), product.text) for product in products)
    )


def _category_pairs(data: TrainingData) -> Draw | None:
    """Titles of two products of the same category."""
    return _pairs_in_groups("category", (((title.category or "",), title.text) for title in data.titles))


def _spelling_pairs(data: TrainingData) -> Draw | None:
    """A title and a misspelt one."""
    titles = [plain(text) for text in (*data.recipes.titles, *data.product_texts()) if text.strip()]

    def draw(random: np.random.Generator) -> Pair:
        title = _one_of(titles, random)
        return Pair(title, noisy(title, random), ("spelling", title))

    return draw if titles else None


def _pairs_in_groups(kind: str, members: Iterable[tuple[tuple[str, ...], str]]) -> Draw | None:
    """Two different texts of the group of a random text; the first part of a group names that of the pair."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group, text in members:
        groups[group].append(text)
    distinct = ((group, list(dict.fromkeys(texts))) for group, texts in groups.items())
    listed = [(group[0], text, texts) for group, texts in distinct if len(texts) > 1 for text in texts]

    def draw(random: np.random.Generator) -> Pair:
        group, text, texts = _one_of(listed, random)
        other = _one_of(texts, random)
        while other == text:
            other = _one_of(texts, random)
        return Pair(text, other, (kind, group))

    return draw if listed else None


def _one_of(values: Sequence[T], random: np.random.Generator) -> T:
    return values[int(random.integers(len(values)))]
