"""Texts as character n-grams weighted by TF-IDF, and their cosine with a query."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.search.postings import codes

LONGEST: Final = 3
_BITS: Final = 21  # of a Unicode character
_BLANK, _END = ord(" "), ord("\n")


class Letters:
    """Texts, given as their words, as vectors of the n-grams of one to three characters inside words.

    As scikit-learn's ``char_wb`` with a sublinear frequency. A blank before and after each word belongs to it.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._size = len(texts)
        grams, owners = _grams(["".join(f" {word} " for word in words) for words in texts])
        # Equal n-grams of a text are neighbours after a stable sort by n-gram, since owners ascend.
        order = np.argsort(grams, kind="stable")
        grams, owners = grams[order], owners[order]
        first = np.flatnonzero(_changes(grams) | _changes(owners))
        counts = np.diff(np.append(first, len(grams)))
        grams, self._owners = grams[first], owners[first]
        starts = np.flatnonzero(_changes(grams))
        self._grams = grams[starts]
        self._bounds = np.append(starts, len(grams))
        frequency = np.diff(self._bounds)
        self._idf = (np.log((1 + self._size) / (1 + frequency)) + 1).astype(np.float32)
        weights = (1 + np.log(counts)) * np.repeat(self._idf, frequency)
        norms = np.sqrt(np.bincount(self._owners, weights**2, self._size))
        self._weights = (weights / np.maximum(norms[self._owners], 1e-9)).astype(np.float32)

    def cosines(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The cosine (n,) of each text with a text of ``words``."""
        found = np.zeros(self._size, np.float32)
        grams, counts = np.unique(_grams(["".join(f" {word} " for word in words)])[0], return_counts=True)
        places = np.searchsorted(self._grams, grams)
        known = (places < len(self._grams)) & (self._grams[np.minimum(places, len(self._grams) - 1)] == grams)
        # An n-gram that no text contains makes the query longer as well.
        unknown = np.float32(np.log(1 + self._size) + 1)
        weights = (1 + np.log(counts)) * np.where(known, self._idf[np.where(known, places, 0)], unknown)
        length = float(np.sqrt((weights**2).sum())) or 1.0
        for place, weight in zip(places[known].tolist(), (weights[known] / length).tolist(), strict=True):
            posting = slice(self._bounds[place], self._bounds[place + 1])
            found[self._owners[posting]] += self._weights[posting] * np.float32(weight)
        return found


def _grams(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """The n-grams inside the words of texts as numbers, and the text of each."""
    characters = codes("".join(text + "\n" for text in texts)).astype(np.uint64)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    owners = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    blank, end = characters == _BLANK, characters == _END
    grams, of = [], []
    key, inside = characters, ~end
    for size in range(1, LONGEST + 1):
        if size > 1:
            key = (key[:-1] << np.uint64(_BITS)) | characters[size - 1 :]
            inside = inside[:-1] & ~end[size - 1 :]
            # Two blanks in a row are between words.
            inside = inside & ~(blank[size - 2 : len(blank) - 1] & blank[size - 1 :])
        kept = np.flatnonzero(inside & ~blank[: len(inside)] if size == 1 else inside)
        grams.append(key[kept])
        of.append(owners[kept])
    return np.concatenate(grams), np.concatenate(of)


def _changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where a value differs from the one before it; the first one does."""
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed
