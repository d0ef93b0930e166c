"""Evaluation of the text index of a release."""

import faiss
import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.results import IndexEvaluation


def evaluate_index(index: faiss.Index, vectors: NDArray[np.float32], queries: int = 200) -> IndexEvaluation:
    """Share of the exact ten nearest of ``vectors`` (n, d) that ``index`` returns, over evenly spaced rows."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(queries, len(vectors))).astype(int))
    k = min(10, len(vectors))
    _, returned = index.search(vectors[rows], k)
    cosines = vectors[rows] @ vectors.T
    exact = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    # Equal texts tie: the cosine that is reached counts, not which of them was returned.
    reached = np.take_along_axis(cosines, returned, axis=1)
    worst = np.take_along_axis(cosines, exact[:, -1:], axis=1)
    return IndexEvaluation(recall_at_10=float((reached >= worst - 1e-5).mean()))
