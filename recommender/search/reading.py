"""What the words of a query mean: misspelled, by initials, in Latin letters or typed on the wrong keyboard."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from recommender.search import words
from recommender.search.jamo import composed, initials, keys, typed
from recommender.search.latin import Romanised, is_latin
from recommender.search.parts import Splitter
from recommender.search.spelling import Spelling
from recommender.search.texts import words_of

# Only the first words of a long query are corrected.
MAX_CORRECTED_WORDS: Final = 8
# Words of the longest English names.
LONGEST_NAME: Final = 3
_WORD: Final = re.compile(r"\w+")
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")
_INITIALS: Final = re.compile("[ㄱ-ㅎ]{2,}")
_KOREAN: Final = re.compile("[가-힣]{2,}")
_SYLLABLE: Final = re.compile("[가-힣]")
_LONE: Final = re.compile("[ㄱ-ㅣ]")
_MISSPELLED: Final = re.compile("|".join(sorted(map(re.escape, words.misspellings()), key=len, reverse=True)))


class Reading(NamedTuple):
    """The words of a query, corrected.

    ``did_you_mean`` is them, None if the query has them already; ``doubtful``: some are still unknown. ``left_out`` are
    those of which nothing is known, where something is of others.
    """

    words: list[str]
    did_you_mean: str | None
    doubtful: bool
    left_out: list[str]


def corrected(text: str) -> str:
    """``text`` with its common misspellings corrected."""
    return _MISSPELLED.sub(lambda found: words.misspellings()[found[0]], text)


def _phrases(typed_words: Sequence[str]) -> Iterator[str]:
    """The words of a query, those that together are an English name (olive oil) as one."""
    position = 0
    while position < len(typed_words):
        sizes = range(min(LONGEST_NAME, len(typed_words) - position), 1, -1)
        names = ("".join(typed_words[position : position + size]).casefold() for size in sizes)
        size, name = next(
            ((size, name) for size, name in zip(sizes, names, strict=True) if name in words.english()),
            (1, typed_words[position]),
        )
        yield name
        position += size


class Reader:
    """Reads queries by the words of an index, given with how often documents use them."""

    def __init__(self, frequency: Mapping[str, int], splitter: Splitter, occurs: Callable[[str], bool]) -> None:
        known = sorted({*frequency, *splitter.names}, key=lambda word: (-frequency.get(word, 0), word))
        food_first = sorted(known, key=lambda word: not splitter.knows(word) or not frequency.get(word))
        self._frequency = frequency
        self._occurs = occurs
        self._splitter = splitter
        self._spelling = Spelling(known)
        self._romanised = Romanised(food_first)
        self._initials: dict[str, str] = {}
        for word in food_first:
            if _KOREAN.fullmatch(word):
                self._initials.setdefault(initials(word), word)

    def read(self, keyword: str, knows: Callable[[str], bool]) -> Reading:
        """Read the words of a query."""
        asked = words_of(keyword)
        typed_words = dict.fromkeys(_WORD.findall(composed(keyword.encode("utf-8", "ignore").decode())))
        english = words.english().get("".join(asked).replace("-", ""))
        if english:
            found = english.split()
        else:
            found = [word for each in _phrases(list(typed_words)) for word in self._meant(each, knows).split()]
        found, doubtful = self._spelled(list(dict.fromkeys(found)), knows)
        left_out = [word for word in found if not self._says_something(word, knows)]
        if left_out and any(map(_LETTER.search, kept := [word for word in found if word not in left_out])):
            found, doubtful = kept, False
        else:
            left_out = []
        is_same = found == asked or "".join(found) == "".join(asked)
        return Reading(found, None if is_same else " ".join(found), doubtful, left_out)

    def _meant(self, raw: str, knows: Callable[[str], bool]) -> str:
        """The words that a word stands for; itself unless it is by initials, Latin or from another keyboard."""
        word = raw.casefold()
        if _INITIALS.fullmatch(word):
            return self._initials.get(word, word)
        if is_latin(word):
            return self._from_latin(raw, knows)
        if not _DIGIT.search(word) and (_LONE.search(word) or not (knows(word) or self._occurs(word))):
            latin = keys(word)
            meant = words.english().get(latin) or (self._romanised.find(latin) if _LONE.search(word) else None)
            if meant:
                return meant
        return corrected(word)

    def _from_latin(self, raw: str, knows: Callable[[str], bool]) -> str:
        word = raw.casefold()
        if word in words.english():
            return words.english()[word]
        if self._frequency.get(word):
            return word
        korean = corrected(typed(raw))
        if _KOREAN.fullmatch(korean) and (knows(korean) or self._occurs(korean)):
            return korean
        if _SYLLABLE.fullmatch(korean) and self._splitter.knows(korean):
            return korean
        meant = self._romanised.find(word)
        if meant:
            return meant
        near = self._spelling.nearest(korean)[:1] if _KOREAN.fullmatch(korean) else []
        return near[0] if near else word

    def _spelled(self, found: list[str], knows: Callable[[str], bool]) -> tuple[list[str], bool]:
        """The words with the unknown ones corrected, and whether some are still unknown."""
        unknown = [word for word in found if not self._is_right(word, knows)][:MAX_CORRECTED_WORDS]
        if not unknown:
            return found, any(not knows(word) for word in found)
        whole = corrected("".join(found))
        if len(found) > 1 and (knows(whole) or self._occurs(whole)):
            return [whole], False
        right = {word: near[0] for word in unknown if (near := self._nearest(word))}
        if not right and len(found) > 1 and (near := self._nearest(whole)):
            return near[:1], False
        return [right.get(word, word) for word in found], len(right) < len(unknown)

    def _is_right(self, word: str, knows: Callable[[str], bool]) -> bool:
        return knows(word) or self._occurs(word) or self._splitter.covers(word)

    def _says_something(self, word: str, knows: Callable[[str], bool]) -> bool:
        known = word in words.concepts() or word in words.fillers() or bool(_DIGIT.search(word))
        return known or len(word) == 1 or self._is_right(word, knows) or self._has_synonym(word)

    def _has_synonym(self, word: str) -> bool:
        return any(self._occurs(other) for other in words.synonyms().get(word, ()))

    def _nearest(self, word: str) -> list[str]:
        return [] if _DIGIT.search(word) else self._spelling.nearest(word)
