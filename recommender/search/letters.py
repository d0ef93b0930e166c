"""Texts as character n-grams weighted by TF-IDF, and their cosine with a query."""

from collections import Counter
from collections.abc import Iterator, Sequence
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
        grams, owners = _grams(texts)
        self._grams, numbers = np.unique(grams, return_inverse=True)
        pairs, counts = np.unique(owners.astype(np.int64) * len(self._grams) + numbers, return_counts=True)
        owners, numbers = np.divmod(pairs, max(len(self._grams), 1))
        frequency = np.bincount(numbers, minlength=len(self._grams))
        self._idf = (np.log((1 + self._size) / (1 + frequency)) + 1).astype(np.float32)
        weights = (1 + np.log(counts)) * self._idf[numbers]
        norms = np.sqrt(np.bincount(owners, weights**2, self._size))
        weights = (weights / np.maximum(norms[owners], 1e-9)).astype(np.float32)
        by_gram = np.argsort(numbers, kind="stable")
        self._owners, self._weights = owners[by_gram].astype(np.int32), weights[by_gram]
        self._bounds = np.append(0, np.cumsum(frequency)).astype(np.int64)

    def cosines(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The cosine (n,) of each text with a query of ``words``, which is of length 1 with what no text contains."""
        found = np.zeros(self._size, np.float32)
        counts = Counter(_grams_of(words))
        if not counts or not len(self._grams):
            return found
        grams = np.fromiter(counts.keys(), np.uint64, len(counts))
        frequency = 1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))
        places = np.minimum(np.searchsorted(self._grams, grams), len(self._grams) - 1)
        known = self._grams[places] == grams
        weights = frequency * np.where(known, self._idf[places], np.log(1 + self._size) + 1)
        weights = (weights / np.sqrt(weights @ weights)).astype(np.float32)
        spans = [slice(self._bounds[place], self._bounds[place + 1]) for place in places[known].tolist()]
        if not spans:
            return found
        owners = np.concatenate([self._owners[span] for span in spans])
        shares = np.concatenate(
            [self._weights[span] * weight for span, weight in zip(spans, weights[known], strict=True)]
        )
        return np.bincount(owners, shares, self._size).astype(np.float32)


def _grams_of(words: Sequence[str]) -> Iterator[int]:
    """The n-grams of a few words, as :func:`_grams` numbers them."""
    for word in words:
        characters = [_BLANK, *map(ord, word), _BLANK]
        yield from characters[1:-1]
        for size in range(2, LONGEST + 1):
            for start in range(len(characters) - size + 1):
                number = 0
                for character in characters[start : start + size]:
                    number = number << _BITS | character
                yield number


def _grams(texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """The n-grams inside the words of texts as numbers, and the text of each."""
    written = ["".join(f" {word} " for word in words) + "\n" for words in texts]
    characters = codes("".join(written)).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in written])
    blank, end = characters == _BLANK, characters == _END
    grams, of = [], []
    key, inside = characters, ~end
    for size in range(1, LONGEST + 1):
        if size > 1:
            key = (key[:-1] << np.uint64(_BITS)) | characters[size - 1 :]
            # Two blanks in a row are between words.
            between = blank[size - 2 : len(blank) - 1] & blank[size - 1 :]
            inside = inside[:-1] & ~end[size - 1 :] & ~between
        kept = np.flatnonzero(inside & ~blank) if size == 1 else np.flatnonzero(inside)
        grams.append(key[kept])
        of.append(owners[kept])
    return np.concatenate(grams), np.concatenate(of)
