"""The grammar of amounts in recipes: ``1 1/2컵`` ``½`` ``반 개`` ``2와 1/2`` ``한 줌`` ``1~2개`` ``3컵 반`` ``1,000g``.

It is used for recipe lines and for searches by ingredients; the units, which titles and linking share, are in
:mod:`recommender.text.units`.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.text import lexicon
from recommender.text.units import SPELLINGS, Unit, find_unit, unit_pattern
from ukok.text import clean

# Anything larger is a barcode or a typo.
LARGEST: Final = 1_000_000
LONGEST_NUMBER: Final = 40  # characters of a text that holds a number alone

# Number words, some of them a range.
_WORDS: Final[dict[str, tuple[float, float]]] = {
    "반": (0.5, 0.5),
    **dict.fromkeys(("반의반", "반의 반"), (0.25, 0.25)),
    **{
        word: (float(number), float(number))
        for number, words in enumerate(
            ("한 하나", "두 둘 두어", "세 셋 석", "네 넷 넉", "다섯", "여섯", "일곱", "여덟", "아홉", "열"), start=1
        )
        for word in words.split()
    },
    **{
        f"열{blank}{word}": (10.0 + number, 10.0 + number)
        for number, word in enumerate(("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"), start=1)
        for blank in ("", " ")
    },
    "스무": (20.0, 20.0),
    **dict.fromkeys(("한두", "한 두", "하나둘"), (1.0, 2.0)),
    **dict.fromkeys(("두세", "두 세"), (2.0, 3.0)),
    **dict.fromkeys(("두서너", "두 서너"), (2.0, 4.0)),
    **dict.fromkeys(("서너", "세네", "세 네"), (3.0, 4.0)),
    **dict.fromkeys(("너댓", "네댓", "너덧", "네다섯", "네 다섯"), (4.0, 5.0)),
    "대여섯": (5.0, 6.0),
    "예닐곱": (6.0, 7.0),
}
# Words that are a number without a unit after a name, too; any is where the text holds nothing else.
_ALONE: Final = "하나|둘|셋|넷|반"
# What may follow a Korean unit of one syllable without a blank; after a longer one anything may.
_AFTER_UNIT: Final = (
    "씩|정도|가량|쯤|내외|분(?![가-힣])|분량|이상|이하|미만|짜리|들이|기준|듬뿍|수북|깎|넘|약간|조금|큰|작은|썬|썰|다진|채썬|"
    "과(?![가-힣])|와(?![가-힣])|만(?![가-힣])|또는|혹은|반(?![가-힣])"
)
_LONG: Final = [spelling for spelling in SPELLINGS if re.search(r".[가-힣]$", spelling)]
_SHORT: Final = [spelling for spelling in SPELLINGS if re.fullmatch(r"[가-힣]", spelling)]
_LATIN: Final = [spelling for spelling in SPELLINGS if not re.search(r"[가-힣]$", spelling)]
# 반미, 한과, 열매: what counts things after a digit is part of a name after a number word.
_COUNTED: Final = [spelling for spelling in _SHORT if spelling not in "미수구과입정환족절손말접축갑곽도인종호년월"]
# Any unit after a digit, and one that may follow a number word.
_END: Final = rf"(?:(?![가-힣])|(?={_AFTER_UNIT}))"
_UNIT: Final = rf"(?:{unit_pattern(_LONG)}|{unit_pattern(_SHORT)}{_END}|{unit_pattern(_LATIN)}(?![A-Za-z]))"
_UNIT_OF_WORD: Final = (
    rf"(?:(?:{unit_pattern(_LONG)}|{unit_pattern(_COUNTED)}){_END}|{unit_pattern(_LATIN)}(?![A-Za-z]))"
)
# Repetitions are bounded, so that the time to read a text is linear in its length.
_WHOLE: Final = r"(?:\d{1,3}(?:,\d{3}){1,3}(?!\d)|\d{1,9}(?!\d))"
_DECIMALS: Final = r"\.\d{1,30}(?!\d)"
DECIMAL: Final = rf"{_WHOLE}(?:{_DECIMALS})?"
_BLANKS: Final = r"\s{0,3}"
_FRACTION: Final = rf"\d{{1,9}}{_BLANKS}/{_BLANKS}\d{{1,9}}(?!\d)"
_JOINED: Final = rf"(?:\s{{1,3}}|{_BLANKS}(?:와|과|하고|[&+\-.·]){_BLANKS})"
_NUMBER: Final = rf"(?:{_WHOLE}{_JOINED}{_FRACTION}|{_FRACTION}|{DECIMAL}|(?<![\d.]){_DECIMALS})"
_FRACTION_AT_END: Final = re.compile(rf"(?<!\d){_FRACTION}\Z")
_WORD: Final = rf"(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_AMOUNT: Final = re.compile(
    rf"(?<!\d)(?<!\d[.,/~\-×*])(?:"
    rf"(?P<lower>{_NUMBER})"
    rf"(?:{_BLANKS}(?P<between>{_UNIT})?{_BLANKS}(?:[~\-]|(?P<comma>,)){_BLANKS}(?P<upper>{_NUMBER}))?(?:여(?!\s))?"
    rf"(?:(?P<and_half>{_BLANKS}반(?={_BLANKS}{_UNIT_OF_WORD}))?{_BLANKS}(?P<unit>{_UNIT})(?P<half>{_BLANKS}반(?![가-힣]))?|(?={_BLANKS}(?:씩|정도|가량|쯤|내외)(?![가-힣]))|"
    rf"(?![0-9A-Za-z가-힣%°'\"])(?!{_BLANKS}[×*/~\-.,:]{_BLANKS}\d)(?!{_BLANKS}[×*%]))"
    rf"|(?!네모|세모|열매|반대)(?P<word>{_WORD})(?:{_BLANKS}~{_BLANKS}(?P<to>{_WORD}|{_NUMBER}))?"
    rf"{_BLANKS}(?P<counted>{_UNIT_OF_WORD})"
    rf"(?P<more>{_BLANKS}반(?![가-힣]))?"
    rf"|(?P<alone>\A{_WORD}\Z|(?<![가-힣])(?:{_ALONE})(?![0-9A-Za-z가-힣]))(?P<rest>{_BLANKS}반(?![0-9A-Za-z가-힣]))?)"
)
_VAGUE_GLUED: Final = (
    "(?:아주 ?)?(?:약간|조금|쪼금|적당량|적정량|적당히|적당|소량|적량|취향껏|취향대로|넉넉히|듬뿍)(?:씩|만)?"
)
_VAGUE_APART: Final = (
    r"다량|살짝|톡톡|톡|솔솔|필요량|기호껏|충분히|자작하게|알맞게|여유있게|넉넉하게|적당하게|기호에\s?(?:맞게|따라)|"
    r"원하는\s?만큼"
)
# How much, without a number.
VAGUE: Final = re.compile(
    rf"(?:{_VAGUE_GLUED}|(?<![가-힣])(?:{_VAGUE_APART}))(?![가-힣])|(?:약간|조금|소량|적당량)(?=의\s)"
)
_LONGEST_WORD: Final = 30  # characters before an amount that say whether it is part of a name
# The last syllables of 자두 and 만두 are no numbers, but those of 밥한공기 and 두부반모 are.
_GLUED_WORDS: Final = frozenset({"한", "반"})
_LETTERS_AT_END: Final = re.compile(r"(?<![A-Za-z])(?:(?P<spoon>(?<=[가-힣])[Tt][Ss]?)|[A-Za-z]{1,2})\Z")
_DENOMINATORS: Final = (1, 2, 3, 4, 5, 6, 8)
_NEAR: Final = 5e-4

_PLAIN: Final = {
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in (*range(0xFF01, 0xFF5F), *range(0x3380, 0x33E0))},
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in (0x2113, 0x2103, 0x212A)},
    **{
        code: " " + unicodedata.normalize("NFKC", chr(code)).replace("\u2044", "/")
        for code in (0xBC, 0xBD, 0xBE, *range(0x2150, 0x215F), 0x2189)
    },
    **dict.fromkeys(map(ord, "\u2044\u2215"), "/"),
    **dict.fromkeys(map(ord, "∼〜～˜∽"), "~"),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "✕ⅹⅩ╳"), "×"),
}


class Amount(NamedTuple):
    """``lower`` to ``upper`` (the same unless it is a range), above 0 and at most ``LARGEST``, of a ``unit``.

    ``text`` is the number as people write it (``1 1/2``, ``2~3``); ``unit`` is spelled as in the text, blanks aside.
    """

    lower: float
    upper: float
    text: str
    unit: str | None


class FoundAmount(NamedTuple):
    """An amount at ``text[start:end]``."""

    amount: Amount
    start: int
    end: int

    @property
    def unit(self) -> Unit | None:
        """The unit's row of the table."""
        return find_unit(self.amount.unit) if self.amount.unit else None


class Measure(NamedTuple):
    """How much of something: ``number`` is above 0 and at most ``LARGEST``, None when not said; ``unit`` as written."""

    number: float | None
    unit: str | None


def plain_amounts(text: str) -> str:
    """``text`` with plain digits, units and signs (``１㎖`` is 1ml, ``½`` is 1/2, ``–`` is -); all else as it is."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def find_amounts(text: str) -> Iterator[FoundAmount]:
    """The amounts in a text of :func:`plain_amounts`, in order."""
    for match in _AMOUNT.finditer(text):
        if not _is_name(text, match):
            amount = _amount(match)
            if amount:
                yield FoundAmount(amount, match.start(), match.end("between" if _differ(match) else 0))


@lru_cache(maxsize=1 << 15)
def read_measure(amount: str | None, unit: str | None) -> Measure:
    """The first amount in a text, and its unit, which may stand in the text (``75g(3/4모)``) or apart; never raises.

    Of a range the larger number counts: who has that much has enough.
    """
    found = next(find_amounts(clean(plain_amounts(amount or ""))), None)
    if found is None:
        return Measure(None, unit or None)
    return Measure(found.amount.upper, found.amount.unit or unit or None)


def read_number(written: str) -> float | None:
    """Return the number if the text holds nothing else.

    None for any other text, for 0, for more than ``LARGEST``, and for more than ``LONGEST_NUMBER`` characters.
    """
    if len(written) > LONGEST_NUMBER:
        return None
    text = clean(plain_amounts(written))
    found = next(find_amounts(text), None)
    if found is None or found.amount.unit or (found.start, found.end) != (0, len(text)):
        return None
    return found.amount.upper if found.amount.lower == found.amount.upper else None


def format_number(value: float) -> str:
    """A number as people write it: ``1/6``, ``1 1/2``, ``0.37``; up to three digits after the point."""
    if value > LARGEST:
        return f"{value:.0f}"
    for denominator in _DENOMINATORS:
        numerator = round(value * denominator)
        if numerator and abs(numerator / denominator - value) < _NEAR:
            whole, rest = divmod(numerator, denominator)
            return " ".join(part for part in (f"{whole}" * (whole > 0), f"{rest}/{denominator}" * (rest > 0)) if part)
    return f"{value:.3f}".rstrip("0").rstrip(".") if value >= _NEAR else f"{value:.9f}".rstrip("0")


def _is_name(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like an amount is part of a name: ``비타민B1``, ``오메가3``, ``자두알``."""
    before = text[max(match.start() - _LONGEST_WORD, 0) : match.start()]
    if match["word"]:
        return before[-1:] >= "가" and before[-1:] <= "힣" and not _counts(before, match)
    letters = _LETTERS_AT_END.search(before)
    if letters:
        return not (letters["spoon"] and not match["unit"])  # 고추장T1 is 1T of it
    if re.search(r"오메가-?\s?$", before):
        return True
    # A model or a brand ends in a number without a unit: HOT6. "/4" lacks a numerator.
    return not (match["unit"] or match["between"]) and re.search(r"[A-Za-z/]$", before) is not None


def _counts(before: str, match: re.Match[str]) -> bool:
    """Whether a number word counts although it is glued to the word before: ``밥한공기``, ``계란두개``."""
    if match[0][len(match["word"])].isspace():
        return False
    known, name = lexicon.ingredients().canonical, before.rsplit(maxsplit=1)[-1]
    if match["word"] in _GLUED_WORDS:  # 두반장 is a sauce
        ends_in_name = any(name[start:] in known for start in range(len(name))) or name[-1] in "거것"
        return match["counted"] != "장" and (match["word"] == "반" or ends_in_name)
    return name in known and name + match["word"] not in known


def _differ(match: re.Match[str]) -> bool:
    """Whether the bounds of a range have units of their own (``800ml~1L``): then only the lower one is read."""
    between, unit = match["between"], match["unit"]
    return bool(between and unit) and find_unit(between) != find_unit(unit)


def _amount(match: re.Match[str]) -> Amount | None:
    word = match["word"] or match["alone"]
    if word:
        to = match["to"]
        bounds = [*_WORDS[word], *(() if not to else _WORDS.get(to) or [_number(to)[0]])]
        half = 0.5 if match["more"] or match["rest"] else 0.0
        lower, upper = min(bounds) + half, max(bounds) + half
        texts = [format_number(lower), format_number(upper)]
    else:
        written = [match["lower"]] if _differ(match) else match.group("lower", "upper")
        numbers = [_number(number) for number in written if number]
        if match["half"] or match["and_half"]:
            numbers = [(value + 0.5, format_number(value + 0.5)) for value, _ in numbers]
        numbers.sort()
        (lower, first), (upper, last) = numbers[0], numbers[-1]
        texts = [first, last]
    if not 0 < lower <= upper <= LARGEST or (match["comma"] and upper - lower != 1):
        return None  # 2,3개 is a range, 2,5개 may be anything
    unit = match["between"] or match["unit"] or match["counted"]
    return Amount(lower, upper, "~".join(dict.fromkeys(texts)), "".join(unit.split()) if unit else None)


def _number(written: str) -> tuple[float, str]:
    """Value and plain spelling of a number; 0 for a fraction that has none."""
    fraction = _FRACTION_AT_END.search(written)
    if not fraction:
        value = float(written.replace(",", ""))
        decimals = written.partition(".")[2]
        return value, f"{value:.10g}" if len(decimals) <= 3 and 1e-4 < value < 1e10 else format_number(value)
    numerator, denominator = (float(part) for part in fraction[0].split("/"))
    whole = float(re.sub(r"\D", "", written[: fraction.start()]) or 0)
    if not denominator:
        return 0.0, ""
    text = f"{numerator:.0f}/{denominator:.0f}"
    return whole + numerator / denominator, f"{whole:.0f} {text}" if whole else text
