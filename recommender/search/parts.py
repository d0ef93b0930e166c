"""Parts of compound words: 무생채보리비빔밥 is 무생채, 보리 and 비빔밥."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.search import words
from recommender.search.names import ENDS, STARTS, WHOLE
from recommender.text import lexicon

_LONGEST: Final = 8
CACHED: Final = 1 << 16
# Costs of a letter outside every known word, of a known word, and of one of a single syllable.
_UNKNOWN, _KNOWN, _SINGLE = 10.0, 1.0, 2.5


class Part(NamedTuple):
    """A known word inside a word; ``ingredient`` is what it is or is made of, empty where that is not known."""

    text: str
    ingredient: str
    start: int
    end: int


class Splitter:
    """Splits words into the longest known words: ingredients by any of their names, dishes and other food.

    ``synonyms`` maps further spellings of ingredients to canonical names. A word of one syllable is a part only beside
    known ones: 무국 has 무, but 무라벨 has not.
    """

    def __init__(self, synonyms: Mapping[str, str]) -> None:
        listed = lexicon.words("titles")
        names = {variant: name for variant, name in synonyms.items() if len(variant) > 1}
        names |= lexicon.ingredients().canonical
        others = listed["finished"] | listed["food"] | listed["purpose"] | words.forms().keys()
        self._known = {word: _made_of(word, names) for word in others}
        self._known |= dict(pair.split("=") for pair in listed["dish"])
        self._known |= names
        self._names = names
        # The words of names recur.
        self.parts = lru_cache(maxsize=CACHED)(self._split)

    @property
    def names(self) -> Iterable[str]:
        """All known words."""
        return self._known

    def knows(self, word: str) -> bool:
        """Whether a word is an ingredient, a dish or other food."""
        return word in self._known

    def singles(self, word: str, ingredients: Collection[str], tokens: Collection[str]) -> Iterator[tuple[str, int]]:
        """The words of one syllable in ``word``, each with the trait of its place.

        ``tokens`` of the document confirm one that stands alone (버릴 게 has no 게), its ``ingredients`` one at the
        start of a longer word (굴림만두 has no 굴).
        """
        if len(word) == 1:
            if word in tokens or not tokens:
                yield word, WHOLE
            return
        parts = self.parts(word)
        for part in parts:
            if part.end - part.start == 1 and (part.start == 0 or part.end == len(word)):
                yield part.text, STARTS if part.start == 0 else ENDS
        last = parts[-1] if parts else None
        if last and last.end == len(word) and last.text not in self._names and last.text[-1] in words.forms():
            yield last.text[-1], ENDS
        covered = bool(parts) and parts[0].start == 0
        if not covered and self._known.get(word[0]) and self._known[word[0]] in ingredients:
            yield word[0], STARTS

    def _split(self, word: str) -> tuple[Part, ...]:
        """The known words in ``word``, in order."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(word) + 1):
            options = [(best[end - 1][0] + _UNKNOWN, 1)]
            for size in range(1, min(end, _LONGEST) + 1):
                if word[end - size : end] in self._known:
                    options.append((best[end - size][0] + (_KNOWN if size > 1 else _SINGLE), size))
            best.append(min(options))
        found, end = [], len(word)
        while end:
            start = end - best[end][1]
            text = word[start:end]
            if text in self._known:
                found.append(Part(text, self._known[text], start, end))
            end = start
        found.reverse()
        return tuple(part for place, part in enumerate(found) if _stands(found, place, len(word)))


def _made_of(dish: str, names: Mapping[str, str]) -> str:
    """The ingredient that a dish's name starts with (꼬막무침 -> 꼬막), or nothing.

    One of a single syllable only before a form: 무국 is made of 무, 무침 and 무설탕 are not.
    """
    forms = words.forms()
    starts = [dish[:size] for size in range(len(dish) - 1, 1, -1)]
    if dish[1:] in forms and dish not in forms:
        starts.append(dish[0])
    return next((names[start] for start in starts if start in names), "")


def _stands(parts: list[Part], place: int, length: int) -> bool:
    """Whether a part of one syllable has known neighbours."""
    part = parts[place]
    if part.end - part.start > 1:
        return True
    before = part.start == 0 or (place > 0 and parts[place - 1].end == part.start)
    after = part.end == length or (place + 1 < len(parts) and parts[place + 1].start == part.end)
    return before and after


def form_mask(parts: tuple[Part, ...], word: str) -> int:
    """A bit for each group of alike forms that ``word`` ends with; 0 for none."""
    known = words.forms()
    mask = 0
    for size in range(min(len(word), 4), 0, -1):
        ending = word[-size:]
        if ending in known and (size > 1 or len(word) == 1 or any(part.end == len(word) for part in parts)):
            mask |= 1 << known[ending]
            break
    return mask
