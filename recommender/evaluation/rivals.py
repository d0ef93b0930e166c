"""Simple rankings that a release has to match: by popularity, by letters (TF-IDF) and by words (BM25).

They read titles only, and are computed in the same run on the same queries.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from recommender.evaluation.answers import LISTED
from recommender.evaluation.relevance import Lists
from recommender.text.titles import plain


class Text(NamedTuple):
    """An item or a query with its title and the content tokens of it."""

    item: str
    title: str
    tokens: tuple[str, ...] = ()
    popularity: float = 0.0


# The lists of some queries, by the id of each.
Rank = Callable[[Sequence[Text]], Lists]


def rivals_over(documents: Sequence[Text]) -> dict[str, Rank]:
    """Every rival by name, ready to rank ``documents``."""
    return {"popularity": by_popularity(documents), "tfidf": by_letters(documents), "bm25": by_words(documents)}


def by_popularity(documents: Sequence[Text]) -> Rank:
    """Rank by popularity, the same for every query."""
    best = [text.item for text in sorted(documents, key=lambda text: (-text.popularity, text.item))[: LISTED + 1]]
    return lambda queries: {query.item: [item for item in best if item != query.item][:LISTED] for query in queries}


def by_letters(documents: Sequence[Text]) -> Rank:
    """Rank by similar letters: TF-IDF of 2- and 3-grams."""
    if not documents:
        return by_popularity(documents)
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), preprocessor=plain, dtype=np.float32)
    matrix = vectorizer.fit_transform([text.title for text in documents]).T

    def rank(queries: Sequence[Text]) -> Lists:
        if not queries:
            return {}
        return _best(queries, documents, sp.csr_array(vectorizer.transform([text.title for text in queries]) @ matrix))

    return rank


def by_words(documents: Sequence[Text], k1: float = 1.2, b: float = 0.75) -> Rank:
    """Rank by informative shared tokens: BM25."""
    numbers = {token: number for number, token in enumerate(sorted({t for text in documents for t in text.tokens}))}
    counts = _counts(documents, numbers).tocoo()
    lengths = np.array([len(text.tokens) for text in documents], dtype=np.float32)
    norm = k1 * (1 - b + b * lengths / max(float(lengths.mean()) if len(lengths) else 0.0, 1e-9))
    frequency = np.bincount(counts.coords[1], minlength=len(numbers))
    idf = np.log1p((len(documents) - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    rows, columns = counts.coords
    weights = idf[columns] * counts.data * (k1 + 1) / (counts.data + norm[rows])
    matrix = sp.csr_array((weights, (columns, rows)), shape=counts.shape[::-1])
    return lambda queries: _best(queries, documents, sp.csr_array(_counts(queries, numbers) @ matrix))


def _counts(texts: Sequence[Text], numbers: dict[str, int]) -> sp.csr_array:
    """Token counts (texts, tokens); unknown tokens are left out."""
    entries = [
        (row, numbers[token], count)
        for row, text in enumerate(texts)
        for token, count in Counter(text.tokens).items()
        if token in numbers
    ]
    rows, columns, counts = (np.array(each) for each in zip(*entries, strict=True)) if entries else ([], [], [])
    return sp.csr_array(
        (np.asarray(counts, np.float32), (np.asarray(rows, np.int64), np.asarray(columns, np.int64))),
        shape=(len(texts), len(numbers)),
    )


def _best(queries: Sequence[Text], documents: Sequence[Text], scores: sp.csr_array) -> Lists:
    """The documents with the highest positive scores of each query, without the query itself."""
    lists = {}
    for row, query in enumerate(queries):
        positions, values = (
            scores.indices[slice(*scores.indptr[row : row + 2])],
            scores.data[slice(*scores.indptr[row : row + 2])],
        )
        order = np.lexsort((positions, -values))[: LISTED + 1]
        found = [documents[position].item for position in positions[order].tolist()]
        lists[query.item] = [item for item in found if item != query.item][:LISTED]
    return lists
