"""Sparse vectors of titles: by character n-grams, and by words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.text.titles import normalise_title, plain

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer

GRAMS: Final = 1 << 18
WORDS: Final = 1 << 17


@dataclass(frozen=True)
class TextSpace:
    """TF-IDF with the inverse document frequencies of hashed n-grams (GRAMS,) and words (WORDS,)."""

    gram_idf: NDArray[np.float32]
    word_idf: NDArray[np.float32]

    def chars(self, titles: Sequence[str]) -> sp.csr_array:
        """Unit rows (titles, GRAMS) by n-grams of the words that name the product."""
        return _weighted(_count(self._gram_counter, [normalise_title(title) for title in titles]), self.gram_idf)

    def words(self, tokens: Sequence[str]) -> sp.csr_array:
        """Unit rows (texts, WORDS) by tokens that blanks separate."""
        return _weighted(_count(self._word_counter, tokens), self.word_idf)

    @cached_property
    def _gram_counter(self) -> "HashingVectorizer":
        return gram_counter()

    @cached_property
    def _word_counter(self) -> "HashingVectorizer":
        return word_counter()


def fit_text_space(titles: Sequence[str], tokens: Sequence[str]) -> TextSpace:
    """Measure in how many titles each n-gram and word occurs."""
    grams = _count(gram_counter(), [normalise_title(title) for title in titles])
    return TextSpace(_idf(grams), _idf(_count(word_counter(), tokens)))


def gram_counter() -> "HashingVectorizer":
    """Counter of hashed n-grams of two to four letters within words."""
    # Takes a second to import, and only new products need it in serving.
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        n_features=GRAMS,
        alternate_sign=False,
        norm=None,
        preprocessor=plain,
        dtype=np.float32,
    )


def word_counter() -> "HashingVectorizer":
    """Counter of hashed tokens."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(analyzer=str.split, n_features=WORDS, alternate_sign=False, norm=None, dtype=np.float32)


def _count(counter: "HashingVectorizer", texts: Sequence[str]) -> sp.csr_array:
    if not len(texts):
        return sp.csr_array((0, counter.n_features), dtype=np.float32)
    return sp.csr_array(counter.transform(texts))


def _idf(counts: sp.csr_array) -> NDArray[np.float32]:
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    return (np.log((1 + counts.shape[0]) / (1 + documents)) + 1).astype(np.float32)


def _weighted(counts: sp.csr_array, idf: NDArray[np.float32]) -> sp.csr_array:
    """Rows of (1 + log count) · IDF, scaled to length 1."""
    data = ((1 + np.log(counts.data)) * idf[counts.indices]).astype(np.float32)
    weighted = sp.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(lengths == 0, 1.0, lengths).astype(np.float32)) @ weighted)
