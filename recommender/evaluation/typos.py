"""Spelling mistakes as people make them on a Korean keyboard, for searches whose right answer is known."""

import random
from typing import Final

_ONSETS, _VOWELS, _CODAS = 19, 21, 28
_FIRST, _LAST = ord("가"), ord("힣")
# Vowels that sound alike: ㅐ and ㅔ, ㅒ and ㅖ, ㅚ and ㅙ, ㅚ and ㅞ.
_ALIKE: Final = {1: 5, 5: 1, 3: 7, 7: 3, 11: 10, 10: 11, 15: 11}


def misspell(text: str, chance: random.Random) -> str:
    """``text`` with one mistake: a vowel that sounds alike, a lost final consonant, or a lost or added space.

    A text without a Korean syllable in a word of three or more stays as it is.
    """
    places = [
        place
        for place, letter in enumerate(text)
        if _is_syllable(letter) and _is_syllable(text[place + 1 : place + 2]) and _is_syllable(text[place - 1 : place])
    ]
    if not places:
        return text
    mistakes = (_other_vowel, _lost_coda, _split)
    place = chance.choice(places)
    first = chance.randrange(len(mistakes))
    for mistake in (*mistakes[first:], *mistakes[:first]):
        if (changed := mistake(text, place)) != text:
            return changed
    return text


def _other_vowel(text: str, place: int) -> str:
    onset, vowel, coda = _letters(text[place])
    return text[:place] + _syllable(onset, _ALIKE.get(vowel, vowel), coda) + text[place + 1 :]


def _lost_coda(text: str, place: int) -> str:
    onset, vowel, _ = _letters(text[place])
    return text[:place] + _syllable(onset, vowel, 0) + text[place + 1 :]


def _split(text: str, place: int) -> str:
    return text[:place] + " " + text[place:]


def _is_syllable(letter: str) -> bool:
    return len(letter) == 1 and _FIRST <= ord(letter) <= _LAST


def _letters(syllable: str) -> tuple[int, int, int]:
    number = ord(syllable) - _FIRST
    return number // (_VOWELS * _CODAS), number // _CODAS % _VOWELS, number % _CODAS


def _syllable(onset: int, vowel: int, coda: int) -> str:
    return chr(_FIRST + (onset * _VOWELS + vowel) * _CODAS + coda)
