"""Documents by the tokens of the analyser, weighted by BM25."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.search.postings import NONE, Positions, postings_of

_K, _B = 1.2, 0.75


class Tokens:
    """Documents as sets of tokens, given separated by blanks."""

    def __init__(self, documents: Iterable[str]) -> None:
        distinct = [list(dict.fromkeys(tokens.split())) for tokens in documents]
        self._postings = postings_of(distinct)
        length = np.array([len(tokens) for tokens in distinct], np.float32)
        mean = max(float(length.mean()), 1.0) if distinct else 1.0
        self._saturation = ((_K + 1) / (1 + _K * (1 - _B + _B * length / mean))).astype(np.float32)

    def holding(self, token: str) -> Positions:
        """Positions of the documents with a token, ascending."""
        return self._postings.get(token, NONE)

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """BM25 (n,) of each document for ``tokens``, as a share of the highest one possible."""
        total = len(self._saturation)
        scores, highest = np.zeros(total, np.float32), 0.0
        for token in tokens:
            posting = self.holding(token)
            idf = float(np.log(1 + (total - len(posting) + 0.5) / (len(posting) + 0.5)))
            highest += idf * (_K + 1)
            scores[posting] += np.float32(idf) * self._saturation[posting]
        return scores / np.float32(highest or 1.0)
