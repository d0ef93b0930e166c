"""Decomposition of Korean text into letters, by keyboard and by sound."""

import re
import unicodedata
from itertools import product
from typing import Final

from ukok.text import visible

_ONSETS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
# Letters that are confused because they sound alike: 찌게 for 찌개, 떡뽁이 for 떡볶이.
_SIMILAR: Final = str.maketrans("ㅔㅖㅒㅚㅞㄲㄸㅃㅆㅉ", "ㅐㅐㅐㅙㅙㄱㄷㅂㅅㅈ")
# Letters that are typed with two keys.
_TYPED: Final = str.maketrans(
    {"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"}
    | {"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㅄ": "ㅂㅅ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ"}
    | {"ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ"}
)
_SYLLABLES: Final = {
    ord("가") + number: "".join(parts) for number, parts in enumerate(product(_ONSETS, _VOWELS, _CODAS))
}
_SOUNDS: Final = {
    code: text.translate(_SIMILAR).translate(_TYPED)
    for code, text in (_SYLLABLES | {code: chr(code) for code in (*_SIMILAR, *_TYPED)}).items()
}
# Conjoining letters, which NFKC makes of a letter that stands alone, to keyboard letters.
_LONE: Final = {
    first + number: letter
    for first, alphabet in ((0x1100, _ONSETS), (0x1161, _VOWELS), (0x11A7, _CODAS))
    for number, letter in enumerate(alphabet)
    if letter
}
_INITIALS: Final = {code: syllable[0] for code, syllable in _SYLLABLES.items()}
# Keys of the Latin keyboard and the letters of the Korean one in the same places; shift doubles a consonant.
_KEYS: Final = str.maketrans(
    dict(zip("qwertyuiopasdfghjklzxcvbnm", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
    | dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "ㅃㅉㄸㄲㅆㅛㅕㅑㅒㅖㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
)
_LATIN: Final = {ord(letter): chr(key).lower() for key, letter in sorted(_KEYS.items())}
# Letters of two keys to the letter itself.
_KEYED: Final = {keyed: chr(letter) for letter, keyed in _TYPED.items()}
# A coda belongs to the next syllable when a vowel follows.
_TYPED_SYLLABLE: Final = re.compile(
    f"([{_ONSETS}])({'|'.join(pair for pair in _KEYED if pair[0] in _VOWELS)}|[{_VOWELS}])"
    f"(?:({'|'.join(pair for pair in _KEYED if pair[0] not in _VOWELS)}|[{''.join(_CODAS)}])(?![{_VOWELS}]))?"
)


def composed(text: str) -> str:
    """Visible ``text`` in NFKC, except that letters that stand alone (ㅋㅋ) remain keyboard letters."""
    return unicodedata.normalize("NFKC", visible(text)).translate(_LONE)


def letters(text: str) -> str:
    """The letters of ``text`` in the order of typing: 닭과 is ㄷㅏㄹㄱㄱㅗㅏ. Other text is unchanged."""
    return text.translate(_SYLLABLES).translate(_TYPED)


def sounds(text: str) -> str:
    """Like :func:`letters`, with one letter for all that sound alike, such as ㅐ and ㅔ, or ㄱ and ㄲ."""
    return text.translate(_SOUNDS)


def initials(text: str) -> str:
    """The first consonant of each syllable: 감자 is ㄱㅈ."""
    return text.translate(_INITIALS)


def typed(keys: str) -> str:
    """What the keys of a Latin keyboard type on the Korean one (2-beolsik): rlacl is 김치. Other text is unchanged."""
    return syllables(keys.translate(_KEYS))


def keys(text: str) -> str:
    """The keys that type Korean ``text`` on the 2-beolsik keyboard, as Latin letters: 김치 is rlacl."""
    return letters(text).translate(_LATIN)


def syllables(text: str) -> str:
    """``text`` with keyboard letters put together to syllables: ㄷㅏㄹㄱㄱㅗㅏ is 닭과."""
    return _TYPED_SYLLABLE.sub(_syllable, text)


def _syllable(found: re.Match[str]) -> str:
    onset, vowel, coda = (_KEYED.get(part, part) for part in (found[1], found[2], found[3] or ""))
    number = (_ONSETS.index(onset) * len(_VOWELS) + _VOWELS.index(vowel)) * len(_CODAS) + _CODAS.index(coda)
    return chr(ord("가") + number)
