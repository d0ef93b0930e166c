"""The ingredient list of a recipe as written, cut into lines.

``[재료] … [양념] …`` are sections, items are split on ``|``. Inside an item the newer files split name, amount,
unit and note by BEL; the older ones run them together (``어묵 2개``, ``설탕1/2큰술``, ``소금 약간``). Amounts are
kept as written.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from recommender.text.cleaning import clean, visible

BEL = "\x07"

_UNIT = (
    "테이블스푼|작은숟가락|밥숟가락|큰숟가락|작은스푼|tbsp|Tbsp|작은술|티스푼|숟가락|밥숟갈|큰스푼|종이컵|"
    "소주컵|소주잔|머그컵|덩어리|tsp|큰술|숟갈|스푼|수저|공기|그릇|대접|국자|사발|개입|포기|뿌리|줄기|"
    "봉지|꼬집|자밤|조각|토막|송이|인분|주먹|움큼|웅큼|가닥|방울|바퀴|마리|덩이|스틱|묶음|다발|상자|박스|"
    "리터|그램|킬로|정도|kg|mg|ml|mL|cc|cm|Ts|ts|TS|EA|ea|술|컵|되|잔|개|알|모|포|대|줄|쪽|톨|장|봉|팩|캔|"
    "병|통|단|줌|근|잎|판|망|손|매|미|입|g|l|L|T|t|c|C"
)
_ONE = r"(?:\d+(?:\.\d+)?(?:(?:\s+|와\s*)\d+/\d+|\s*/\s*\d+|[½⅓⅔¼¾⅛⅕])?|[½⅓⅔¼¾⅛⅕])"
_NUMBER = rf"(?<![\d.,/~∼½⅓⅔¼¾⅛⅕])(?<!\d[ 와]){_ONE}(?:\s*[~∼-]\s*{_ONE})?"
_WORDS = "(?:아주 ?)?(?:약간씩|약간|조금씩|조금|적당량|적당히|적당|소량|적량|취향껏|넉넉히)"
# Half a sheet is not told from 두반장, a sauce. A Latin unit may be followed by Hangul (200g한입), a Korean one may not
# (1개월).
_MEASURE = rf"(?P<amount>{_NUMBER}|반(?!장))\s*(?P<unit>{_UNIT})(?![a-zA-Z]|(?<=[가-힣])[가-힣])"

_HEADING = re.compile(rf"(?<![^\s|])\[{BEL}?([^\[\]{BEL}]{{0,40}})\]")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MEASURED = re.compile(rf"(?P<name>.*\S)\s*\(?{_MEASURE}\)?(?P<note>.*)")
_COUNTED = re.compile(rf"(?P<name>.*\S)\s+(?P<amount>{_NUMBER})(?P<unit>[a-zA-Z가-힣]*)(?P<note>\s.*|\(.*|)")
_VAGUE = re.compile(rf"(?P<name>.*?\S)\s*(?P<amount>{_WORDS})(?P<unit>)(?P<note>\s*\(.*\)|)")
_AMOUNT = re.compile(rf"\(?{_MEASURE}\)?(?P<note>[\s(].*|)")


class Line(NamedTuple):
    """One line of a list; what it does not say is None."""

    section: str | None
    name: str
    amount: str | None
    unit: str | None
    note: str | None


def ingredient_lines(text: str) -> Iterator[Line]:
    """Yield the lines of a list in order; an item without a name is none."""
    first, *rest = _HEADING.split(_LINE_BREAK.sub(" ", visible(text)))
    for section, items in [("", first), *zip(rest[::2], rest[1::2], strict=True)]:
        for item in items.split("|"):
            line = _line(clean(section) or None, item)
            if line:
                yield line


def _line(section: str | None, item: str) -> Line | None:
    fields = [clean(field) for field in item.split(BEL)]
    if len(fields) > 1 and fields[0]:
        name, amount, unit, *notes = [*fields, ""]
        return Line(section, name, *_measure(amount, unit, clean(" ".join(notes))))
    name = clean(item)
    for grammar in (_MEASURED, _COUNTED, _VAGUE):
        match = grammar.fullmatch(name)
        if match:
            return Line(section, match["name"].rstrip(" ("), *_parts(match))
    return Line(section, name, None, None, None) if name else None


def _measure(amount: str, unit: str, note: str) -> tuple[str | None, str | None, str | None]:
    """Amount, unit and note of the newer form; an amount that holds its unit (``75g(3/4모)``) is cut in two."""
    match = None if unit or note else _AMOUNT.fullmatch(amount)
    return _parts(match) if match else (amount or None, unit or None, note or None)


def _parts(match: re.Match[str]) -> tuple[str | None, str | None, str | None]:
    return match["amount"], match["unit"] or None, clean(match["note"]) or None
