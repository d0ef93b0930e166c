"""Indexes of many texts: by substring, and by shared n-grams."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
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
    """Compares a text with many others by their shared n-grams of ``size`` letters, at most three."""

    def __init__(self, texts: Sequence[str], size: int) -> None:
        self._size = size
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        owners = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        grams = _grams("".join(texts), size)
        inside = np.flatnonzero(owners[: len(grams)] == owners[size - 1 :])
        order = inside[np.argsort(grams[inside], kind="stable")]
        grams, owners = grams[order], owners[order]
        first = np.flatnonzero(_changes(grams) | _changes(owners))
        grams, self._owners = grams[first], owners[first]
        self._counts = np.bincount(self._owners, minlength=len(texts)).astype(np.int32)
        begins = np.flatnonzero(_changes(grams))
        self._grams = grams[begins]
        self._bounds = np.append(begins, len(grams))

    def jaccard(self, text: str) -> NDArray[np.float64]:
        """Jaccard similarity (n,) of each text to ``text``: shared n-grams over all n-grams of both."""
        grams = np.unique(_grams(text, self._size))
        shared = np.zeros(len(self._counts))
        for owners in self._postings(grams):
            shared[owners] += 1.0
        return shared / np.maximum(self._counts + len(grams) - shared, 1)

    def containment(self, text: str) -> NDArray[np.float64]:
        """Share (n,) of the n-grams of ``text`` in each text, weighted by IDF."""
        shared, whole = np.zeros(len(self._counts)), 0.0
        for owners in self._postings(np.unique(_grams(text, self._size))):
            weight = float(np.log1p(len(self._counts) / (1 + len(owners))))
            shared[owners] += weight
            whole += weight
        return shared / (whole or 1.0)

    def _postings(self, grams: NDArray[np.uint64]) -> Iterator[Positions]:
        """Positions of the texts with each n-gram, ascending."""
        places = np.searchsorted(self._grams, grams)
        for gram, place in zip(grams.tolist(), places.tolist(), strict=True):
            known = place < len(self._grams) and int(self._grams[place]) == gram
            yield self._owners[self._bounds[place] : self._bounds[place + 1]] if known else NONE


def _grams(text: str, size: int) -> NDArray[np.uint64]:
    """The n-grams of a text in order, each as one number of its code points, which have 21 bits."""
    characters = codes(text).astype(np.uint64)
    grams = np.zeros(max(len(characters) - size + 1, 0), np.uint64)
    for offset in range(size):
        grams = grams << np.uint64(21) | characters[offset : offset + len(grams)]
    return grams


def _changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Whether each value differs from the one before; true for the first."""
    return np.concatenate((np.ones(min(len(values), 1), np.bool_), values[1:] != values[:-1]))


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
