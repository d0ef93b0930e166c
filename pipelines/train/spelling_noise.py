"""Titles as other people would write them: misspelt, with other blanks, with brackets and pack sizes."""

import unicodedata
from collections.abc import Callable
from typing import Final

import numpy as np

# Vowels that sound alike: ㅐ ㅔ, ㅒ ㅖ, ㅙ ㅚ.
_ALIKE: Final = {"\u1162": "\u1166", "\u1166": "\u1162", "\u1164": "\u1168", "\u1168": "\u1164", "\u116a": "\u116c"}
_CODAS: Final = range(0x11A8, 0x11C3)
_MARKS: Final = ("[특가]", "[무료배송]", "(국내산)", "(1+1)", "[신상]", "★행사★")
_PACKS: Final = ("500g", "1kg", "200g x 3팩", "10개입", "1.5L", "2봉", "5팩")
Change = Callable[[str, np.random.Generator], str]


def noisy(text: str, random: np.random.Generator) -> str:
    """`text` with one random change; the same text where that change does not apply."""
    return _CHANGES[random.integers(len(_CHANGES))](text, random)


def _without_blanks(text: str, _: np.random.Generator) -> str:
    return "".join(text.split())


def _with_blank(text: str, random: np.random.Generator) -> str:
    place = random.integers(len(text) + 1)
    return f"{text[:place]} {text[place:]}".strip()


def _without_letter(text: str, random: np.random.Generator) -> str:
    if len(text) < 3:
        return text
    place = random.integers(len(text))
    return text[:place] + text[place + 1 :]


def _swapped(text: str, random: np.random.Generator) -> str:
    """Swap two neighbouring letters."""
    if len(text) < 3:
        return text
    place = random.integers(len(text) - 1)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _without_coda(text: str, random: np.random.Generator) -> str:
    """Drop a final consonant."""
    letters = unicodedata.normalize("NFD", text)
    places = [place for place, letter in enumerate(letters) if ord(letter) in _CODAS]
    if not places:
        return text
    place = places[random.integers(len(places))]
    return unicodedata.normalize("NFC", letters[:place] + letters[place + 1 :])


def _alike_vowel(text: str, random: np.random.Generator) -> str:
    letters = unicodedata.normalize("NFD", text)
    places = [place for place, letter in enumerate(letters) if letter in _ALIKE]
    if not places:
        return text
    place = places[random.integers(len(places))]
    return unicodedata.normalize("NFC", letters[:place] + _ALIKE[letters[place]] + letters[place + 1 :])


def _with_mark(text: str, random: np.random.Generator) -> str:
    return f"{_MARKS[random.integers(len(_MARKS))]} {text}"


def _with_pack(text: str, random: np.random.Generator) -> str:
    return f"{text} {_PACKS[random.integers(len(_PACKS))]}"


_CHANGES: Final[tuple[Change, ...]] = (
    _without_blanks,
    _with_blank,
    _without_letter,
    _swapped,
    _without_coda,
    _alike_vowel,
    _with_mark,
    _with_pack,
)
