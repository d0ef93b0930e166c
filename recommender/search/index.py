"""In-memory text search over stored tokens, tolerant of spacing and spelling."""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

import numpy as np

from recommender.search.jamo import composed, sounds
from recommender.search.postings import NONE, Grams, Positions, Substrings
from recommender.search.spelling import Spelling

# Whether a word is spelled correctly.
Knows = Callable[[str], bool]

NO_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType({})
# Weighted share of a query's letter trigrams that a text must contain to be a fuzzy match.
MIN_GRAM_SHARE: Final = 0.6
# A word in at least this many texts is spelled correctly.
MIN_FREQUENCY: Final = 2
# Only the first words of a long query are corrected.
MAX_CORRECTED_WORDS: Final = 8
# A query of at least this many letters is matched fuzzily even if all its words are spelled correctly.
MIN_FUZZY_LENGTH: Final = 6
_WORD: Final = re.compile(r"\w+")
_DIGIT: Final = re.compile(r"\d")


class TextIndex:
    """Finds documents by a query, tolerant of spacing and spelling.

    Documents are (text, tokens separated by spaces), best first, and are found by their position. ``synonyms`` maps a
    spelling to the canonical name.
    """

    def __init__(self, documents: Iterable[tuple[str, str]], synonyms: Mapping[str, str] = NO_SYNONYMS) -> None:
        texts: list[str] = []
        frequency: Counter[str] = Counter()
        postings: dict[str, array[int]] = {}
        for position, (text, tokens) in enumerate(documents):
            texts.append(squeezed(text))
            frequency.update({*words_of(text), *tokens.split()})
            for token in set(tokens.split()):
                postings.setdefault(token, array("i")).append(position)
        self._postings = {token: np.frombuffer(posting, np.int32) for token, posting in postings.items()}
        self._size = len(texts)
        self._substrings = Substrings(texts)
        self._grams = Grams([sounds(text) for text in texts], 3)
        self._synonyms = _both_ways(synonyms)
        self._frequency = frequency
        words = {*frequency, *self._synonyms}
        self._spelling = Spelling(sorted(words, key=lambda word: (-frequency[word], word)))

    def knows(self, word: str) -> bool:
        """Whether a word is spelled correctly: frequent enough, or the name of an ingredient."""
        return self._frequency[word] >= MIN_FREQUENCY or word in self._synonyms

    def find(self, keyword: str, knows: Knows) -> list[int]:
        """Positions of the matching documents, without duplicates.

        First the texts that contain the keyword, spaces ignored; then those with all its tokens; then those with all
        its words, by synonym, or by correction of a word that no text contains. If there are none, the texts with most
        of the keyword's letter trigrams, best match first. Within a group documents keep their order.

        A word for which ``knows`` is true is never corrected, and a query of such words is matched fuzzily only if it
        is long. ``knows`` may cover more than this index.
        """
        text = normal(keyword)
        piece, words = squeezed(text), words_of(text)
        doubtful = [word for word in words if not knows(word)][:MAX_CORRECTED_WORDS]
        found = self._without_duplicates(
            self._substrings.holding(piece),
            _in_all([self._postings.get(token, NONE) for token in query_tokens(text)]),
            self._with_words(words, piece, doubtful),
        )
        if not len(found) and (doubtful or len(piece) >= MIN_FUZZY_LENGTH):
            found = self._fuzzy(piece)
        matches: list[int] = found.tolist()
        return matches

    def _without_duplicates(self, *groups: Positions) -> Positions:
        seen = np.zeros(self._size, np.bool_)
        fresh = []
        for group in groups:
            fresh.append(group[~seen[group]])
            seen[group] = True
        return np.concatenate(fresh)

    def _with_words(self, words: Sequence[str], whole: str, doubtful: Sequence[str]) -> Positions:
        """Documents with all of some words, else with the ``whole`` as one word: 떡 뽁이 is one word, not two."""
        found = _in_all([self._matching(word, correct=word in doubtful) for word in words])
        return found if len(found) or len(words) < 2 or not doubtful else self._matching(whole, correct=True)

    def _matching(self, word: str, *, correct: bool) -> Positions:
        """Documents with a word or a synonym of it; if there are none, with a correction of it."""
        found = self._in_any((word, *self._synonyms.get(word, ())))
        if len(found) or not correct or _DIGIT.search(word):
            return found
        corrected = self._spelling.nearest(word)
        return self._in_any(chain(corrected, *(self._synonyms.get(each, ()) for each in corrected)))

    def _in_any(self, words: Iterable[str]) -> Positions:
        contains = np.zeros(self._size, np.bool_)
        for word in words:
            contains[self._with_word(word)] = True
        return np.flatnonzero(contains).astype(np.int32)

    def _with_word(self, word: str) -> Positions:
        # A single syllable is part of too many other words: only whole tokens match it.
        return self._substrings.holding(word) if len(word) > 1 else self._postings.get(word, NONE)

    def _fuzzy(self, piece: str) -> Positions:
        """Documents with most of the letter trigrams of a text, best match first."""
        shares = self._grams.containment(sounds(piece))
        matches = np.flatnonzero(shares >= MIN_GRAM_SHARE)
        return matches[np.argsort(-shares[matches], kind="stable")].astype(np.int32)


def _both_ways(synonyms: Mapping[str, str]) -> dict[str, list[str]]:
    """Synonyms of each word: the name of a spelling, and the spellings of a name."""
    found: dict[str, list[str]] = defaultdict(list)
    for variant, name in synonyms.items():
        found[squeezed(variant)].append(squeezed(name))
        found[squeezed(name)].append(squeezed(variant))
    return dict(found)


def _in_all(postings: Sequence[Positions]) -> Positions:
    if not postings:
        return NONE
    first, *others = sorted(postings, key=len)
    for posting in others:
        first = first[np.isin(first, posting, assume_unique=True)]
    return first


def normal(text: str) -> str:
    """``text`` in NFKC and lower case, without lone surrogates."""
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
