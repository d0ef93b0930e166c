"""Decomposition of Korean text into letters, by keyboard and by sound."""

import unicodedata
from itertools import product
from typing import Final

_ONSETS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
# Letters that are confused because they sound alike: 찌게 for 찌개, 떡뽁이 for 떡볶이.
_ALIKE: Final = str.maketrans("ㅔㅖㅒㅚㅞㄲㄸㅃㅆㅉ", "ㅐㅐㅐㅙㅙㄱㄷㅂㅅㅈ")
# Letters that are typed with two keys.
_TYPED: Final = str.maketrans(
    {"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"}
    | {"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㅄ": "ㅂㅅ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ"}
    | {"ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ"}
)
_SYLLABLES: Final = {
    ord("가") + number: "".join(parts) for number, parts in enumerate(product(_ONSETS, _VOWELS, _CODAS))
}
# Conjoining letters, which NFKC makes of a letter that stands alone, to keyboard letters.
_LONE: Final = {
    first + number: letter
    for first, alphabet in ((0x1100, _ONSETS), (0x1161, _VOWELS), (0x11A7, _CODAS))
    for number, letter in enumerate(alphabet)
    if letter
}
_INITIALS: Final = {code: syllable[0] for code, syllable in _SYLLABLES.items()}


def composed(text: str) -> str:
    """``text`` in NFKC, except that letters that stand alone (ㅋㅋ) remain keyboard letters."""
    return unicodedata.normalize("NFKC", text).translate(_LONE)


def letters(text: str) -> str:
    """The letters of ``text`` in the order of typing: 닭과 is ㄷㅏㄹㄱㄱㅗㅏ. Other text is unchanged."""
    return text.translate(_SYLLABLES).translate(_TYPED)


def sounds(text: str) -> str:
    """Like :func:`letters`, with one letter for all that sound alike, such as ㅐ and ㅔ, or ㄱ and ㄲ."""
    return text.translate(_SYLLABLES).translate(_ALIKE).translate(_TYPED)


def initials(text: str) -> str:
    """The first consonant of each syllable: 감자 is ㄱㅈ."""
    return text.translate(_INITIALS)
