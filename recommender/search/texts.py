"""One form of texts for search: normalised, without blanks, as words, as the tokens of the analyser."""

import re
from functools import lru_cache
from typing import Final

from recommender.search.jamo import composed

_WORD: Final = re.compile(r"\w+")


def normal(text: str) -> str:
    """``text`` in NFKC and lower case, without lone surrogates and invisible characters."""
    return composed(text.encode("utf-8", "ignore").decode()).casefold()


def squeezed(text: str) -> str:
    """:func:`normal` text without white space: spacing varies in Korean."""
    return "".join(normal(text).split())


def words_of(text: str) -> list[str]:
    """The distinct words of a text in order, without punctuation."""
    return list(dict.fromkeys(_WORD.findall(normal(text))))


@lru_cache(maxsize=4096)
def query_tokens(keyword: str) -> tuple[str, ...]:
    """Distinct content tokens of a query, by the analyser that wrote the documents' tokens."""
    from recommender.text.titles import tokens

    return tuple(dict.fromkeys(tokens(keyword)))
