"""Ranker by the ingredient vectors of a skip-gram model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.rankers.cases import Cases, Scores


@dataclass(frozen=True)
class Word2Vec:
    """Input and output vectors (items, dimensions); zeros for an item that the model does not know.

    The product of an input and an output vector is high for complements, the cosine of two inputs for substitutes.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]

    def scores(self, cases: Cases) -> Scores:
        scores = np.asarray((cases.given @ self.inputs) @ self.outputs.T, dtype=np.float32)
        # Most products are negative: with a score of 0, an item without a vector would come first.
        known = self.outputs.any(axis=1)
        scores[:, ~known] = scores.min(axis=1, keepdims=True)
        return scores


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1.0, lengths), dtype=np.float32)
