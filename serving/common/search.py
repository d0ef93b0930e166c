"""Text search in memory over the tokens that loading wrote."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate

SEPARATOR = "\n"


class TextIndex:
    """Finds documents by a piece of their text or by all tokens of a query.

    Documents are given best first, as (text, tokens separated by spaces), and found by their position.
    """

    def __init__(self, documents: Iterable[tuple[str, str]]) -> None:
        texts: list[str] = []
        self._positions: dict[str, array[int]] = {}
        for position, (text, tokens) in enumerate(documents):
            texts.append(squeezed(text))
            for token in set(tokens.split()):
                self._positions.setdefault(token, array("i")).append(position)
        self._text = SEPARATOR.join(texts)
        self._starts = array("q", accumulate((len(text) + 1 for text in texts), initial=0))

    def find(self, keyword: str) -> list[int]:
        """Positions of what matches: first where the text holds the keyword, then where the tokens do, best first."""
        literal = self._containing(squeezed(keyword))
        seen = set(literal)
        return literal + [position for position in self._with_tokens(query_tokens(keyword)) if position not in seen]

    def _containing(self, piece: str) -> list[int]:
        found: list[int] = []
        at = self._text.find(piece) if piece else -1
        while at >= 0:
            position = bisect_right(self._starts, at) - 1
            found.append(position)
            at = self._text.find(piece, self._starts[position + 1])
        return found

    def _with_tokens(self, tokens: tuple[str, ...]) -> list[int]:
        postings = [self._positions.get(token) for token in dict.fromkeys(tokens)]
        if not postings or None in postings:
            return []
        ordered = sorted((posting for posting in postings if posting is not None), key=len)
        return sorted(set(ordered[0]).intersection(*ordered[1:]))


def squeezed(text: str) -> str:
    """Lower-case ``text`` without white space: Korean is spaced as the writer likes."""
    return "".join(text.casefold().split())


@lru_cache(maxsize=4096)
def query_tokens(keyword: str) -> tuple[str, ...]:
    """Content tokens of a query, by the analyser that loading used."""
    from serving.recommend.text import tokens

    return tuple(tokens(keyword))
