"""Products and recipes as the relations see them, and rankers with chosen weights."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.release.items import Items, make_items
from recommender.product_ref import KOK, ProductRef
from recommender.relations.facts import ProductFacts, RecipeFacts
from recommender.relations.ranker import Ranker, Rankers, Weights
from recommender.relations.relation import Relation
from recommender.relations.space import Encode, Space
from recommender.text.title_words import Kind

WIDTH = 32


def product(
    number: int,
    title: str,
    *,
    source: str = KOK,
    kind: Kind = Kind.INGREDIENT,
    types: tuple[str, ...] | None = None,
    ingredients: tuple[str, ...] = (),
    recipes: float = 1.0,
    reviews: int = 0,
) -> ProductFacts:
    """A product; without ``types`` it is of the type of its first ingredient."""
    named = ingredients[:1] if types is None else types
    return ProductFacts(ProductRef(source, number), title, title, kind, named, ingredients, recipes, reviews)


def recipe(
    number: int,
    title: str,
    ingredients: tuple[str, ...],
    *,
    types: tuple[str, ...] = (),
    named: tuple[str, ...] = (),
    popularity: float = 0.0,
) -> RecipeFacts:
    """A recipe; its tokens are the words of its title."""
    return RecipeFacts(number, title, title, ingredients, types, named, popularity)


def by_letters(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of texts by the letters in them."""
    counts = np.zeros((len(texts), WIDTH), np.float32)
    for row, text in enumerate(texts):
        for letter in text.replace(" ", "") or "-":
            counts[row, ord(letter) % WIDTH] += 1
    return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), np.float32)


def ranker(threshold: float = 0.0, bias: float = 0.0, **weights: float) -> Ranker:
    """A ranker whose two questions have the same answer."""
    both = Weights(bias=bias, features=weights)
    return Ranker(learnt_from="test", threshold=threshold, acceptable=both, good=both)


def rankers(one: Ranker) -> Rankers:
    """The same ranker for every relation."""
    return Rankers(rankers=dict.fromkeys(Relation, one))


def items_of(
    products: Sequence[ProductFacts],
    recipes: Sequence[RecipeFacts],
    one: Ranker | None = None,
    encode: Encode = by_letters,
) -> Items:
    """Products and recipes in a space of their own."""
    return make_items(products, recipes, encode, rankers(one or ranker()))


def space_of(products: Sequence[ProductFacts], recipes: Sequence[RecipeFacts] = ()) -> Space:
    """The space of products and recipes."""
    return items_of(products, recipes).space
