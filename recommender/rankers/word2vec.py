"""Ingredient vectors of a skip-gram model."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.cases import Cases, Scores


@dataclass(frozen=True)
class Word2Vec:
    """Input and output vectors (items, dimensions); zero where the model does not know an item.

    Input times output says what goes together; the cosine of inputs says what stands in for what.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        scores = np.asarray((cases.given @ self.inputs) @ self.outputs.T, dtype=np.float32)
        # Most products are negative: left at 0, an item without a vector would come first.
        known = self.outputs.any(axis=1)
        scores[:, ~known] = scores.min(axis=1, keepdims=True)
        return scores


def basket_vectors(baskets: sp.csr_array, weights: NDArray[np.float32], vectors: NDArray[np.float32]) -> Scores:
    """Unit vectors (baskets, dimensions): the mean of the items' unit `vectors` times their `weights` (items,)."""
    return unit(np.asarray(baskets @ (weights[:, None] * unit(vectors)), dtype=np.float32))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1.0, lengths), dtype=np.float32)
