"""How much of a product a title offers: ``500g*3팩``, ``1.5kg(500g x 3)`` and ``총 1.5kg`` are the same amount.

Neighbouring amounts are read from the inside out: each multiplies what stands before it, if it is a larger container or
has a multiplication sign (``30매 x 6박스``: 180 sheets in 6 boxes); any other describes the same product again
(``6박스 (84포)``). Amounts with words between them are added up, unless those in brackets only break the total down
(``800g (등심 400g, 안심 400g)``).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from recommender.text.amounts import DECIMAL
from recommender.text.units import UNITS, Unit, unit_pattern

_BASES: Final = {"gram": "g", "millilitre": "ml", "day": "일"}
# Units of one rank are of one size, each rank is larger than the one before.
_RANKS: Final = ("measure", "piece", "pack", "box")
_MEASURED: Final = frozenset({"g", "ml"})


def _scale(unit: Unit) -> tuple[str, float]:
    """The unit that titles are counted in, and how many of it one ``unit`` is: ``kg`` is 1000 g, ``봉지`` one 봉."""
    return (_BASES[unit.sort], unit.size or 1.0) if unit.rank in ("", "measure") else (unit.name, 1.0)


_READ: Final = {spelling: unit for spelling, unit in UNITS.items() if unit.rank or unit.sort == "day"}
_SCALES: Final = {spelling.lower(): _scale(unit) for spelling, unit in _READ.items()}
_RANK_OF: Final = {_scale(unit)[0]: _RANKS.index(unit.rank) for unit in _READ.values() if unit.rank}

_UNIT: Final = unit_pattern(_SCALES)
# After a unit no letter follows, but the sign in "500gx8" and words such as 내외, 이상, 미만, 구성, 씩, 선물세트.
_END: Final = r"(?![a-wyz]|x(?!\s*\d)|(?![내이미구씩선])[가-힣])"
_AMOUNT: Final = re.compile(
    rf"(?P<times>[x×*]\s*)?(?<![\d.~])(?P<number>{DECIMAL})(?(times)|(?:\s*\+\s*(?P<more>{DECIMAL})(?![\d.]))?)"
    rf"(?:\s*(?P<unit>{_UNIT}){_END}(?:내외|이상|미만|이내|구성|씩)?)?"
)
# A size ("14~15미", "20~21cm") or an offer to choose from ("200g~"), not an amount.
_RANGE: Final = re.compile(rf"{DECIMAL}\s*(?:{_UNIT})?\s*~\s*(?:{DECIMAL}\s*(?:{_UNIT}|cm)?)?")
_SAME_PRODUCT: Final = re.compile(r"[\s()\[\]/·]*(?:총|약|각)?[\s()\[\]]*")
_ROUNDING: Final = 0.01


class _Amount(NamedTuple):
    """``number`` of ``unit`` (None: a bare factor) at ``span``; ``depth`` counts the brackets around it."""

    number: float
    unit: str | None
    times: bool
    total: bool
    depth: int
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Amounts:
    """Totals of a title by unit (g, ml, 일, 개, 팩, ...), and its amounts as written."""

    totals: Mapping[str, float]
    written: tuple[str, ...]
    contradictory: bool = False

    def agree(self, other: "Amounts") -> bool:
        """Whether both are the same total quantity in the units they share; without a common unit they are not.

        A title that contradicts itself agrees only with one that is written the same way.
        """
        if self.contradictory or other.contradictory:
            return self.written == other.written
        shared = self.totals.keys() & other.totals.keys()
        if not all(_close(self.totals[unit], other.totals[unit]) for unit in shared):
            return False
        if self.totals.keys() == other.totals.keys():
            return True
        # One box each proves nothing.
        return any(unit in _MEASURED or self.totals[unit] > 1 for unit in shared)


def read_amounts(text: str) -> tuple[Amounts, str]:
    """The amounts in a :func:`plain` text, and the text without them."""
    marked = _RANGE.sub(lambda found: f" {re.sub(r'[^0-9a-z가-힣]', '', found[0])}사이 ", text)
    found = list(_scan(marked))
    declared: dict[str, float] = defaultdict(float)
    by_depth: tuple[dict[str, float], dict[str, float]] = (defaultdict(float), defaultdict(float))
    contradictory = False
    for run in _runs(marked, found):
        totals, said, clear = _read_run(run)
        contradictory |= not clear
        for unit, number in totals.items():
            by_depth[min(run[0].depth, 1)][unit] += number
        for unit, number in said.items():
            declared[unit] += number
    outside, inside = by_depth
    added = {
        unit: outside[unit] if _close(outside[unit], inside[unit]) else outside[unit] + inside[unit]
        for unit in {**outside, **inside}
    }
    written = tuple(sorted(f"{amount.number:g}{amount.unit or ''}" for amount in found))
    rest = marked
    for amount in reversed(found):
        rest = f"{rest[: amount.span[0]]} {rest[amount.span[1] :]}"
    return Amounts({**added, **declared}, written, contradictory), rest


def _scan(text: str) -> Iterator[_Amount]:
    for found in _AMOUNT.finditer(text):
        if not (found["unit"] or found["times"] or found["more"]):
            continue
        before, start = text[: found.start()], found.start()
        if not found["times"] and before[-1:].isascii() and before[-1:].isalnum():
            continue  # "bnr17", "af70": a model, not an amount
        if found["unit"] is None and not found["times"]:
            unit, scale = "개", 1.0  # "1+1"
        else:
            unit, scale = _SCALES.get(found["unit"] or "", (None, 1.0))  # type: ignore[assignment]
        number = sum(float(found[name].replace(",", "")) for name in ("number", "more") if found[name]) * scale
        depth = sum(before.count(mark) for mark in "([") - sum(before.count(mark) for mark in ")]")
        total = re.search(r"총\s*$", before) is not None
        yield _Amount(number, unit, bool(found["times"]), total, max(depth, 0), (start, found.end()))


def _runs(text: str, amounts: list[_Amount]) -> Iterator[list[_Amount]]:
    """Groups of amounts with no word between them."""
    run = amounts[:1]
    for before, amount in pairwise(amounts):
        if amount.times or _SAME_PRODUCT.fullmatch(text, before.span[1], amount.span[0]):
            run.append(amount)
        else:
            yield run
            run = [amount]
    if run:
        yield run


def _read_run(run: list[_Amount]) -> tuple[dict[str, float], dict[str, float], bool]:
    """Totals of a run by unit, those that it declares (총), and whether it is free of contradictions."""
    totals: dict[str, float] = {}
    declared: dict[str, float] = {}
    current: dict[str, float] = {}
    clear = True
    for amount in run:
        if amount.total and amount.unit:
            declared[amount.unit] = amount.number
            continue
        if not _multiplies(amount, current):
            clear &= _merge(totals, current)
            current = {}
        if amount.unit != "일":
            current = {unit: number * (amount.number if unit != "일" else 1) for unit, number in current.items()}
        if amount.unit:
            current.setdefault(amount.unit, amount.number)
    clear &= _merge(totals, current)
    return totals, declared, clear


def _multiplies(amount: _Amount, current: Mapping[str, float]) -> bool:
    if amount.times or not current:
        return True
    ranks = [_RANK_OF[unit] for unit in current if unit in _RANK_OF]
    return amount.unit in _RANK_OF and bool(ranks) and _RANK_OF[amount.unit] > max(ranks)


def _merge(totals: dict[str, float], more: Mapping[str, float]) -> bool:
    """Merge another description of the same product into ``totals``; return whether they agree."""
    clear = all(_close(totals[unit], number) for unit, number in more.items() if unit in totals)
    for unit, number in more.items():
        totals.setdefault(unit, number)
    return clear


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= _ROUNDING * max(one, other)
