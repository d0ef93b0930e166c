"""How much of an ingredient an amount is: in grams where that is known, else in pieces.

The usual weight of one onion and the density of flour are in ``weights.txt``.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from recommender.text.units import Unit, find_unit

WHOLE: Final = ""
# Up to this number a bare number counts pieces; above it, it is taken as grams.
LARGEST_COUNT: Final = 10


class Quantity(NamedTuple):
    """How much of an ingredient there is, in grams or else in pieces; both None when it is unknown."""

    grams: float | None
    pieces: float | None


class Weights(NamedTuple):
    """By ingredient: grams of one by name of the unit (``WHOLE``: one of it), and grams of a millilitre."""

    grams: dict[str, dict[str, float]]
    densities: dict[str, float]


@lru_cache(maxsize=1 << 16)
def quantity(ingredient: str, number: float | None, unit: str | None) -> Quantity:
    """``number`` of ``unit`` of a canonical ingredient: in grams where that is known, else in pieces, else unknown."""
    if number is None:
        return Quantity(None, None)
    found = find_unit(unit or ("개" if number <= LARGEST_COUNT else "g"))
    if found is None:
        return Quantity(None, None)
    grams = _grams(ingredient, found)
    if grams is not None:
        return Quantity(number * grams, None)
    return Quantity(None, number if found.sort == "whole" else None)


def add_quantities(one: Quantity, more: Quantity) -> Quantity:
    """Sum of two quantities; where one of them is unknown, the other."""
    return Quantity(_sum(one.grams, more.grams), _sum(one.pieces, more.pieces))


def _grams(ingredient: str, unit: Unit) -> float | None:
    """Grams of one ``unit`` of an ingredient."""
    weights = WEIGHTS.grams.get(ingredient, {})
    if unit.name in weights:
        return weights[unit.name]
    if unit.sort == "millilitre" and unit.size is not None:
        return unit.size * WEIGHTS.densities.get(ingredient, 1.0)
    if unit.sort == "gram":
        return unit.size
    return weights.get(WHOLE) if unit.sort == "whole" else None


def _sum(one: float | None, more: float | None) -> float | None:
    return more if one is None else one if more is None else one + more


def _entries(section: str) -> Iterator[tuple[str, str]]:
    text = Path(__file__).with_name("weights.txt").read_text(encoding="utf-8")
    found = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    for line in (found[1] if found else "").splitlines():
        if line.strip():
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _read_weights(written: str) -> dict[str, float]:
    """``5, 쪽 5, 통 40``: grams of a whole, then of other units."""
    whole, *others = written.split(",")
    weights = {WHOLE: float(whole)}
    for word, grams in (other.split() for other in others):
        unit = find_unit(word)
        if unit is None:
            raise ValueError(f"weights.txt uses the unit {word!r}, which units.csv does not list: add it there")
        weights[unit.name] = float(grams)
    return weights


WEIGHTS: Final = Weights(
    grams={name: _read_weights(value) for name, value in _entries("weights")},
    densities={name: float(value) for name, value in _entries("densities")},
)
