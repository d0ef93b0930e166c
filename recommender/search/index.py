"""Text search in memory over the tokens that loading wrote, which forgives spelling."""

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

# Whether a word is spelled right.
Knows = Callable[[str], bool]

NO_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType({})
# Share of a query's runs of three letters that a text must hold to be close to it.
CLOSE: Final = 0.6
# A word that so many texts use is no slip of the pen.
USUAL: Final = 2
# Of a long query only the first so many words are corrected.
CORRECTED: Final = 8
# So long a query may also be found by most of its letters where all its words are right.
LONG: Final = 6
_WORD: Final = re.compile(r"\w+")
_DIGIT: Final = re.compile(r"\d")


class TextIndex:
    """Finds documents by what someone typed, however they spaced or spelled it.

    Documents are given best first, as (text, tokens separated by spaces), and found by their position. ``synonyms``
    leads from a spelling to the name that it stands for.
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
        self._meanings = _meanings(synonyms)
        self._frequency = frequency
        words = {*frequency, *self._meanings}
        self._spelling = Spelling(sorted(words, key=lambda word: (-frequency[word], word)))

    def knows(self, word: str) -> bool:
        """Whether a word is used often enough to be spelled right, or is the name of an ingredient."""
        return self._frequency[word] >= USUAL or word in self._meanings

    def find(self, keyword: str, knows: Knows) -> list[int]:
        """Positions of what matches, each once.

        First come the texts that hold the keyword, spaces aside; then those with all its tokens; then those with all
        its words, each as a synonym or as corrected where nothing holds it as it is. Only when there are none of these,
        texts that are close to the keyword letter by letter, the closest first. Otherwise documents keep their order.

        Words that ``knows`` affirms, which may ask more than this index, are right as they are: they are not corrected,
        and what is close to them is not meant unless they are many letters.
        """
        text = normal(keyword)
        piece, words = squeezed(text), words_of(text)
        doubtful = [word for word in words if not knows(word)][:CORRECTED]
        found = self._each_once(
            self._substrings.holding(piece),
            _in_all([self._postings.get(token, NONE) for token in query_tokens(text)]),
            self._with_words(words, piece, doubtful),
        )
        if not len(found) and (doubtful or len(piece) >= LONG):
            found = self._close(piece)
        matches: list[int] = found.tolist()
        return matches

    def _each_once(self, *groups: Positions) -> Positions:
        seen = np.zeros(self._size, np.bool_)
        fresh = []
        for group in groups:
            fresh.append(group[~seen[group]])
            seen[group] = True
        return np.concatenate(fresh)

    def _with_words(self, words: Sequence[str], whole: str, doubtful: Sequence[str]) -> Positions:
        """Documents with all of some words, else with the ``whole`` as one word: 떡 뽁이 is no two words."""
        found = _in_all([self._meant_by(word, correct=word in doubtful) for word in words])
        return found if len(found) or len(words) < 2 or not doubtful else self._meant_by(whole, correct=True)

    def _meant_by(self, word: str, *, correct: bool) -> Positions:
        found = self._in_any((word, *self._meanings.get(word, ())))
        if len(found) or not correct or _DIGIT.search(word):
            return found
        corrected = self._spelling.nearest(word)
        return self._in_any(chain(corrected, *(self._meanings.get(each, ()) for each in corrected)))

    def _in_any(self, words: Iterable[str]) -> Positions:
        held = np.zeros(self._size, np.bool_)
        for word in words:
            held[self._with_word(word)] = True
        return np.flatnonzero(held).astype(np.int32)

    def _with_word(self, word: str) -> Positions:
        # A single syllable is part of too many words to mean the one it is here.
        return self._substrings.holding(word) if len(word) > 1 else self._postings.get(word, NONE)

    def _close(self, piece: str) -> Positions:
        held = self._grams.share_held(sounds(piece))
        close = np.flatnonzero(held >= CLOSE)
        return close[np.argsort(-held[close], kind="stable")].astype(np.int32)


def _meanings(synonyms: Mapping[str, str]) -> dict[str, list[str]]:
    """What a word may be called besides: a spelling by its name, a name by its spellings."""
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
    """``text`` in one form and lower case; half of a character pair, which is no text, is dropped."""
    return composed(text.encode("utf-8", "ignore").decode()).casefold()


def squeezed(text: str) -> str:
    """:func:`normal` text without white space: Korean is spaced as the writer likes."""
    return "".join(normal(text).split())


def words_of(text: str) -> list[str]:
    """The different words of a text, without punctuation, in order."""
    return list(dict.fromkeys(_WORD.findall(normal(text))))


@lru_cache(maxsize=4096)
def query_tokens(keyword: str) -> tuple[str, ...]:
    """Different content tokens of a query, by the analyser that loading used."""
    from recommender.text.titles import tokens

    return tuple(dict.fromkeys(tokens(keyword)))
