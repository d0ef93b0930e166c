"""What the names of documents mention: words of one syllable, ingredients, the last food word, and forms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.search.documents import Document
from recommender.search.names import Occurrences, at_places, outside_brackets
from recommender.search.parts import Splitter
from recommender.search.postings import Positions, postings_of
from recommender.search.texts import words_of


class Mentions:
    """Documents by what their names mention.

    ``singles``: words of one syllable that are words, or parts of compounds. ``ingredients``: by canonical name.
    ``heads``: the last food word outside brackets, and its ingredient: what is sold. ``forms`` (n,): a bit for each.
    """

    singles: Mapping[str, Occurrences]
    ingredients: Mapping[str, Positions]
    heads: Mapping[str, Positions]
    forms: NDArray[np.int64]

    def __init__(self, documents: Sequence[Document], names: Sequence[str], splitter: Splitter) -> None:
        words = [words_of(name) for name in names]
        self.singles = _singles(documents, words, splitter)
        self.ingredients = postings_of(
            [part.ingredient for word in of_name for part in splitter.parts(word) if part.ingredient]
            for of_name in words
        )
        self.heads = postings_of(_head(name, splitter) for name in names)
        self.forms = np.array(
            [np.bitwise_or.reduce([splitter.form_mask(word) for word in of_name] or [0]) for of_name in words], np.int64
        )


def _singles(
    documents: Sequence[Document], words: Sequence[Sequence[str]], splitter: Splitter
) -> dict[str, Occurrences]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for position, (document, of_name) in enumerate(zip(documents, words, strict=True)):
        tokens = frozenset(document.tokens.split())
        for word in of_name:
            for single, trait in splitter.singles(word, document.ingredients, tokens):
                # The traits ascend from a whole word to the start of a longer one.
                found[single][position] = min(trait, found[single].get(position, trait))
    return {single: at_places(places) for single, places in found.items()}


def _head(name: str, splitter: Splitter) -> list[str]:
    """The last known word of a name, and the ingredient that it is or is made of."""
    for word in reversed(words_of(outside_brackets(name))):
        parts = splitter.parts(word)
        if parts:
            return [text for text in (parts[-1].text, parts[-1].ingredient) if text]
    return []
