"""Evaluation of the indexes of a release."""

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.results import IndexEvaluation
from recommender.models.vector_index import VectorIndex


def evaluate_indexes(*indexes: tuple[VectorIndex, NDArray[np.float32]], queries: int = 200) -> IndexEvaluation:
    """Share of the exact ten nearest that each index returns of its vectors (n, d), over evenly spaced rows."""
    return IndexEvaluation(
        recall_at_10=float(np.mean(np.concatenate([_recalls(index, vectors, queries) for index, vectors in indexes])))
    )


def _recalls(index: VectorIndex, vectors: NDArray[np.float32], queries: int) -> NDArray[np.float64]:
    """Share of the nearest vectors that was returned, for each query."""
    k = min(10, len(vectors))
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(queries, len(vectors))).astype(int))
    if not len(rows):
        return np.ones(1)
    _, returned = index.search(vectors[rows], k)
    cosines = vectors[rows] @ vectors.T
    worst = -np.partition(-cosines, k - 1, axis=1)[:, k - 1 : k]
    # Equal texts tie: the cosine that is reached counts, not which of them was returned.
    reached = np.take_along_axis(cosines, returned, axis=1)
    shares: NDArray[np.float64] = ((reached >= worst - 1e-5) & (returned >= 0)).mean(axis=1)
    return shares
