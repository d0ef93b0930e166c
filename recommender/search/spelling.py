"""Correction of misspelled words by sound."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from recommender.search.jamo import sounds
from recommender.search.postings import Grams

_CANDIDATES: Final = 64
_MAX_CORRECTIONS: Final = 3


class Spelling:
    """Corrects words to those of a vocabulary, given most likely first."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._sounds = [sounds(word) for word in words]
        self._grams = Grams([_framed(sound) for sound in self._sounds], 2)

    def nearest(self, word: str) -> list[str]:
        """At most three words with the least edit distance to ``word`` by sound, most likely first; often none."""
        sound = sounds(word)
        limit = _max_distance(sound)
        candidates = _highest(self._grams.jaccard(_framed(sound)), _CANDIDATES)
        distances = {n: OSA.distance(sound, self._sounds[n], score_cutoff=limit) for n in candidates.tolist()}
        least = min(distances.values(), default=limit + 1)
        return [self._words[n] for n in distances if distances[n] == least <= limit][:_MAX_CORRECTIONS]


def _max_distance(sound: str) -> int:
    """Highest accepted edit distance: letters replaced, missing, added or swapped with their neighbour."""
    if len(sound) < 5:
        return 0
    return 1 if len(sound) < 9 else 2


def _highest(scores: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Positions of the ``k`` highest scores and of ties with the last, without zeros."""
    if len(scores) > k:
        scores = np.where(scores >= np.partition(scores, -k)[-k], scores, 0.0)
    return np.flatnonzero(scores)


def _framed(sound: str) -> str:
    return f"^{sound}$"
