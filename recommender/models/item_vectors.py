"""Vectors of products by what people look at and buy together: those of item2vec, by :class:`ProductRef`."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef


def item_name(product: ProductRef) -> str:
    """A product as item2vec names it: ``kok:1471015``."""
    return f"{product.source}:{product.product_id}"


def product_of(name: str) -> ProductRef:
    """The product that :func:`item_name` named; raises ValueError for another text."""
    source, colon, number = name.partition(":")
    if not (source and colon and number.isascii() and number.isdecimal()):
        raise ValueError(f"{name!r} is no product: expected a source and an id, such as kok:1471015")
    return ProductRef(source, int(number))


def product_vectors(vectors: WordVectors, products: Iterable[ProductRef]) -> tuple[NDArray[np.float32], ...]:
    """Input and output vectors (products, dimensions) in the order of `products`; zeros for an unknown one."""
    return vectors.aligned(tuple(item_name(product) for product in products))
