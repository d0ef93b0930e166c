"""The word that was meant where a word is misspelled."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from recommender.search.jamo import sounds
from recommender.search.postings import Grams

_CANDIDATES: Final = 64
_MOST_CORRECTIONS: Final = 3


class Spelling:
    """Words that can be meant, the most likely first."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._sounds = [sounds(word) for word in words]
        self._grams = Grams([_framed(sound) for sound in self._sounds], 2)

    def nearest(self, word: str) -> list[str]:
        """The words that differ least from ``word`` by how they sound, the most likely first; few, or none."""
        sound = sounds(word)
        most = _slips(sound)
        candidates = _highest(self._grams.likeness(_framed(sound)), _CANDIDATES)
        slips = {n: OSA.distance(sound, self._sounds[n], score_cutoff=most) for n in candidates.tolist()}
        least = min(slips.values(), default=most + 1)
        return [self._words[n] for n in slips if slips[n] == least <= most][:_MOST_CORRECTIONS]


def _slips(sound: str) -> int:
    """How many letters of a word may be wrong, missing, too many or swapped with their neighbour."""
    if len(sound) < 5:
        return 0
    return 1 if len(sound) < 9 else 2


def _highest(scores: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Where the highest scores are, zeros aside."""
    if len(scores) > most:
        scores = np.where(scores >= np.partition(scores, -most)[-most], scores, 0.0)
    return np.flatnonzero(scores)


def _framed(sound: str) -> str:
    return f"^{sound}$"
