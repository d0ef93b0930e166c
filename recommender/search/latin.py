"""Korean words by their romanisation, whichever system and spelling it follows."""

import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Final

from rapidfuzz.distance import OSA

_ONSETS: Final = (*"kknttlmppss", "", *"ccckt", "p", "h")
_VOWELS: Final = (
    *("a", "e", "ya", "ye", "o", "e", "yo", "ye", "o", "wa", "we", "we", "yo", "u", "wo", "we", "wi", "yu", "u"),
    *("ui", "i"),
)
_CODAS: Final = ("", *"kkknnntlkmlllplmppttnttktpt")
_SYLLABLES: Final = {
    ord("가") + number: "".join(parts) for number, parts in enumerate(product(_ONSETS, _VOWELS, _CODAS))
}
# Spellings of the same sound, to one letter each; longer ones first.
_SOUNDS: Final = (
    ("tch|ch|jj|j|z", "c"),
    ("sh|ss", "s"),
    ("ng", "n"),
    ("kk|gg|ck|g|q", "k"),
    ("tt|dd|d", "t"),
    ("pp|bb|b|f|v", "p"),
    ("r", "l"),
    ("woo|wu", "u"),
    ("yeo|you|yu(?=[nm])", "yo"),
    ("eo", "o"),
    ("eui|ui", "ui"),
    ("eu|oo|ou", "u"),
    ("ae|ai", "e"),
    ("ee|y$", "i"),
    ("oe", "we"),
)
_RULES: Final = [(re.compile(pattern), sound) for pattern, sound in _SOUNDS]
_DOUBLED: Final = re.compile(r"(.)\1+")
_LATIN: Final = re.compile(r"[a-z][a-z'\- ]*[a-z]")
_KOREAN: Final = re.compile(r"[가-힣]{2,}")
# A romanisation of at least this many sounds may differ in one of them.
MIN_FUZZY: Final = 6


def is_latin(text: str) -> bool:
    """Whether ``text``, in lower case, consists of Latin letters."""
    return _LATIN.fullmatch(text) is not None


class Romanised:
    """Finds Korean words by romanisation; of words that sound alike, the first one given."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[str, str] = {}
        for word in words:
            if _KOREAN.fullmatch(word):
                self._words.setdefault(korean_sound(word), word)

    def find(self, text: str) -> str | None:
        """The word that ``text`` romanises, None if there is none."""
        sound = latin_sound(text)
        if len(sound) < 3:
            return None
        exact = self._words.get(sound)
        if exact or len(sound) < MIN_FUZZY:
            return exact
        near = (known for known in self._words if abs(len(known) - len(sound)) <= 1 and known[0] == sound[0])
        return next((self._words[known] for known in near if OSA.distance(known, sound, score_cutoff=1) <= 1), None)


@cache
def latin_sound(text: str) -> str:
    """``text`` with one letter for each sound, as :func:`korean_sound` writes it: bulgogi and pulgogi are pulkoki."""
    sound = re.sub(r"[^a-z]", "", text.lower())
    for pattern, letter in _RULES:
        sound = pattern.sub(letter, sound)
    return _DOUBLED.sub(r"\1", sound)


def korean_sound(word: str) -> str:
    """The sound of a Korean word in Latin letters."""
    return _DOUBLED.sub(r"\1", word.translate(_SYLLABLES))
