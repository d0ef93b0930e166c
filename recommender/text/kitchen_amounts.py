"""Amounts as people write them: ``1 1/2`` ``½`` ``반`` ``2와 1/2`` ``한 줌`` ``1~2`` ``200g(4개)`` ``약간``."""

import math
import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.text.units import UNITS

# What is larger is no amount in a kitchen, but a barcode or a slip.
LARGEST: Final = 1_000_000

_COUNTED: Final = (("한", "하나"), ("두", "둘"), ("세", "셋"), ("네", "넷"), ("다섯",), ("여섯",), ("일곱",), ("여덟",))
_WORDS: Final = {"반": 0.5} | {word: float(n) for n, words in enumerate(_COUNTED, start=1) for word in words}
# Hangul may follow a Latin unit (200g한입), but of a Korean one only what says "about" or "each" (3개월 are no three).
_UNIT: Final = (
    rf"(?:{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})"
    r"(?![A-Za-z]|(?<=[가-힣])(?!반|씩|정도|가량|쯤)[가-힣])"
)
_FRACTION: Final = r"[0-9]+\s*/\s*[0-9]+"
_DECIMAL: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
# A word counts only before a unit or at the end: 두부 are no two.
_WORD: Final = rf"(?<![가-힣])(?:{'|'.join(_WORDS)})(?=\s*(?:{_UNIT}|$))"
_ONE: Final = rf"(?:(?:[0-9]+(?:\s*(?:와|과|하고|&)\s*|\s+))?{_FRACTION}|{_DECIMAL}|{_WORD})"
_MEASURE: Final = re.compile(
    rf"(?<![0-9./,])(?P<lower>{_ONE})(?:\s*[~\-–∼〜]\s*(?P<upper>{_ONE}))?"
    rf"(?:\s*(?P<unit>{_UNIT})(?P<half>\s*반(?![가-힣]))?)?",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(_ONE)


class Measure(NamedTuple):
    """How much of something: ``number`` is above 0 and at most ``LARGEST``, None when not said; ``unit`` as written."""

    number: float | None
    unit: str | None


@lru_cache(maxsize=1 << 15)
def read_measure(amount: str | None, unit: str | None) -> Measure:
    """The first amount in a text, and its unit, which may stand in the text (``75g(3/4모)``) or apart; never raises.

    Of a range the larger number counts: who has that much has enough.
    """
    found = _MEASURE.search(_plain(amount or ""))
    if not found:
        return Measure(None, unit or None)
    number = max(_number(written) for written in found.group("lower", "upper") if written)
    number += 0.5 if found["half"] else 0.0
    return Measure(number if 0 < number <= LARGEST else None, found["unit"] or unit or None)


def parse_amount(written: str | None) -> float | None:
    """The number of an amount; None for ``약간`` and whatever else says none."""
    return read_measure(written, None).number


def read_number(written: str) -> float | None:
    """The number that a text is and nothing else; None for any other text, and for 0 and what is too large to count."""
    text = _plain(written)
    return parse_amount(text) if _ALONE.fullmatch(text) else None


def _plain(text: str) -> str:
    """Digits, signs and units in their plain form; a fraction that is one character stands apart from the whole."""
    apart = (f" {c}" if unicodedata.decomposition(c).startswith("<fraction>") else c for c in text)
    return unicodedata.normalize("NFKC", "".join(apart)).replace("\u2044", "/").strip()


def _number(written: str) -> float:
    if written in _WORDS:
        return _WORDS[written]
    *whole, last = re.split(r"\s*(?:와|과|하고|&)\s*|(?<=[0-9])\s+(?=[0-9]+\s*/)", written)
    numerator, _, denominator = last.replace(",", "").partition("/")
    if not denominator:
        return float(numerator)
    return sum(map(float, whole)) + (float(numerator) / float(denominator) if float(denominator) else math.nan)
