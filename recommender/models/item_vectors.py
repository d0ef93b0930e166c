"""Vectors of products by what people look at and buy together: those of item2vec, by :class:`ProductRef`."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef, item_name


def product_vectors(vectors: WordVectors, products: Iterable[ProductRef]) -> tuple[NDArray[np.float32], ...]:
    """Input and output vectors (products, dimensions) in the order of `products`; zeros for an unknown one."""
    return vectors.aligned(tuple(item_name(product) for product in products))
