"""Parts of compound words: 무생채보리비빔밥 is 무생채, 보리 and 비빔밥."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.search import words
from recommender.search.names import ENDS, STARTS, WHOLE
from recommender.text import lexicon

_LONGEST: Final = 8
_LONGEST_FORM: Final = 4
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
        self._known = {concept: "" for concept in words.concepts() if len(concept) > 1}
        self._known |= {word: _made_of(word, names) for word in others}
        self._known |= dict(pair.split("=") for pair in listed["dish"])
        self._known |= names
        self._names = names
        self._dishes = listed["finished"]
        self._cooked = (listed["finished"] | listed["purpose"]) - names.keys()
        # The words of names recur.
        self.parts = lru_cache(maxsize=CACHED)(self._split)

    @property
    def names(self) -> Iterable[str]:
        """All known words."""
        return self._known

    def knows(self, word: str) -> bool:
        """Whether a word is an ingredient, a dish or other food."""
        return word in self._known

    def is_dish(self, word: str) -> bool:
        """Whether the end of a word is a dish or a way to cook, and no ingredient: 소불고기, but not 라면."""
        parts = self.parts(word)
        return bool(parts) and parts[-1].end == len(word) and parts[-1].text in self._cooked

    def covers(self, word: str) -> bool:
        """Whether ``word`` consists of known words: 꽃게탕 of 꽃게 and 탕."""
        return sum(part.end - part.start for part in self.parts(word)) == len(word)

    def form_mask(self, word: str) -> int:
        """A bit for the group of alike forms that ``word`` ends with; 0 for none: 설탕 is no 탕."""
        known = words.forms()
        if word in known:
            return 1 << known[word]
        parts = self.parts(word)
        last = parts[-1] if parts and parts[-1].end == len(word) else None
        for size in range(min(len(word) - 1, _LONGEST_FORM), 1, -1):
            if word[-size:] in known:
                return 1 << known[word[-size:]]
        if not last or word[-1] not in known:
            return 0
        is_dish = len(last.text) == 1 or last.text in self._dishes or self.knows(last.text[:-1])
        return 1 << known[word[-1]] if is_dish else 0

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
            sizes = [size for size in range(1, min(end, _LONGEST) + 1) if word[end - size : end] in self._known]
            costs = [(best[end - size][0] + (_KNOWN if size > 1 else _SINGLE), size) for size in sizes]
            best.append(min([(best[end - 1][0] + _UNKNOWN, 1), *costs]))
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
    """Whether a part of one syllable has longer known neighbours, or is followed by a form alone: 무국."""
    part = parts[place]
    if part.end - part.start > 1:
        return True
    before = parts[place - 1] if place else None
    after = parts[place + 1] if place + 1 < len(parts) else None
    if part.start and not (before and before.end == part.start):
        return False
    if part.end == length:
        return not before or before.end - before.start > 1 or part.text in words.forms()
    if not after or after.start != part.end:
        return False
    return after.end - after.start > 1 or (after.end == length and after.text in words.forms())
