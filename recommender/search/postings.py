"""Indexes of many texts: by substring, and by shared n-grams."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int32]

NONE: Final[Positions] = np.zeros(0, np.int32)
_END: Final = "\n"


class Substrings:
    """Finds the texts that contain a string, by the positions of its rarest character. Texts have no line ends."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.characters = codes("".join(text + _END for text in texts))
        lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
        self.owners = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        self._places = np.argsort(self.characters, kind="stable").astype(np.int32)
        known, starts = np.unique(self.characters[self._places], return_index=True)
        bounds = [*starts.tolist(), len(self._places)]
        self._bounds = {code: (bounds[n], bounds[n + 1]) for n, code in enumerate(known.tolist())}

    def holding(self, piece: str) -> Positions:
        """Positions of the texts that contain ``piece``, ascending; none for an empty one."""
        owners = self.owners[self.begins(piece)]
        return owners[np.flatnonzero(np.diff(owners, prepend=-1))]

    def begins(self, piece: str) -> NDArray[np.int32]:
        """Where ``piece`` begins in the texts, each with a line end, one after the other; ascending."""
        characters = codes(piece)
        bounds = [self._bounds.get(code, (0, 0)) for code in characters.tolist()]
        if not bounds:
            return NONE
        sizes = [end - start for start, end in bounds]
        rarest = sizes.index(min(sizes))
        begins = self._places[slice(*bounds[rarest])] - rarest
        begins = begins[(begins >= 0) & (begins <= len(self.characters) - len(characters))]
        for offset, code in enumerate(characters):
            begins = begins[self.characters[begins + offset] == code]
        return begins


class Grams:
    """Compares a text with many others by their shared n-grams of ``size`` letters."""

    def __init__(self, texts: Sequence[str], size: int) -> None:
        self._size = size
        self._postings: dict[str, array[int]] = {}
        counts = np.zeros(len(texts), np.int32)
        for position, text in enumerate(texts):
            grams = self._of(text)
            counts[position] = len(grams)
            for gram in grams:
                self._postings.setdefault(gram, array("i")).append(position)
        self._counts = counts

    def jaccard(self, text: str) -> NDArray[np.float64]:
        """Jaccard similarity (n,) of each text to ``text``: shared n-grams over all n-grams of both."""
        grams = self._of(text)
        shared = self._shared(grams, dict.fromkeys(grams, 1.0))
        return shared / np.maximum(self._counts + len(grams) - shared, 1)

    def containment(self, text: str) -> NDArray[np.float64]:
        """Share (n,) of the n-grams of ``text`` in each text, weighted by IDF."""
        weights = {gram: float(np.log1p(len(self._counts) / (1 + self._frequency(gram)))) for gram in self._of(text)}
        return self._shared(set(weights), weights) / (sum(weights.values()) or 1.0)

    def _of(self, text: str) -> set[str]:
        return {text[at : at + self._size] for at in range(len(text) - self._size + 1)}

    def _frequency(self, gram: str) -> int:
        return len(self._postings.get(gram, ()))

    def _shared(self, grams: set[str], weights: dict[str, float]) -> NDArray[np.float64]:
        total = np.zeros(len(self._counts))
        for gram in grams:
            posting = self._postings.get(gram)
            if posting:
                total[np.frombuffer(posting, np.int32)] += weights[gram]
        return total


def postings_of(documents: Iterable[Iterable[str]]) -> dict[str, Positions]:
    """Positions of the documents that hold each word, ascending."""
    found: dict[str, array[int]] = {}
    for position, words in enumerate(documents):
        for word in dict.fromkeys(words):
            found.setdefault(word, array("i")).append(position)
    return {word: np.frombuffer(posting, np.int32) for word, posting in found.items()}


def codes(text: str) -> NDArray[np.uint32]:
    """The Unicode code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
