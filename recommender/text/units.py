"""How much a measure is: kitchen units in grams, and the usual weight of one onion. The figures are in units.txt."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

WHOLE: Final = ""
# A number without a unit counts things up to here; nobody counts to 500 in a kitchen, so above it is grams.
LARGEST_COUNT: Final = 10


class Quantity(NamedTuple):
    """How much of an ingredient there is, in grams or else in pieces; both None when nobody knows."""

    grams: float | None
    pieces: float | None


class Measures(NamedTuple):
    """Grams and millilitres of units, words for a whole, and of ingredients the weights by word and the densities."""

    grams: dict[str, float]
    millilitres: dict[str, float]
    pieces: frozenset[str]
    weights: dict[str, dict[str, float]]
    densities: dict[str, float]

    @property
    def units(self) -> frozenset[str]:
        """Every word that is a unit of something."""
        parts = {word for words in self.weights.values() for word in words if word != WHOLE}
        return frozenset(self.grams.keys() | self.millilitres.keys() | self.pieces | parts)


def _entries(section: str) -> Iterator[tuple[str, str]]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    found = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    for line in (found[1] if found else "").splitlines():
        if line.strip():
            names, _, value = line.partition("=")
            yield names.strip(), value.strip()


def _amounts(section: str) -> dict[str, float]:
    return {name.strip(): float(value) for names, value in _entries(section) for name in names.split(",")}


def _weights(written: str) -> dict[str, float]:
    """``5, 쪽 5, 통 40``: grams of a whole, then of other words."""
    whole, *others = written.split(",")
    return {WHOLE: float(whole)} | {word: float(grams) for word, grams in (other.split() for other in others)}


MEASURES: Final = Measures(
    grams=_amounts("grams"),
    millilitres=_amounts("millilitres"),
    pieces=frozenset(word.strip() for words, _ in _entries("pieces") for word in words.split(",")),
    weights={name: _weights(value) for name, value in _entries("weights")},
    densities=_amounts("densities"),
)
UNITS: Final = MEASURES.units


@lru_cache(maxsize=1 << 16)
def quantity(ingredient: str, number: float | None, unit: str | None) -> Quantity:
    """``number`` of ``unit`` of a canonical ingredient: in grams where that is known, else in pieces, else unknown."""
    if number is None:
        return Quantity(None, None)
    word = unicodedata.normalize("NFKC", unit).strip() if unit else "개" if number <= LARGEST_COUNT else "g"
    word = word if word in UNITS else word.lower()
    grams = _grams(ingredient, word)
    if grams is not None:
        return Quantity(number * grams, None)
    return Quantity(None, number if word in MEASURES.pieces else None)


def _grams(ingredient: str, word: str) -> float | None:
    """Grams of one ``word`` of an ingredient."""
    weights = MEASURES.weights.get(ingredient, {})
    if word in weights:
        return weights[word]
    if word in MEASURES.millilitres:
        return MEASURES.millilitres[word] * MEASURES.densities.get(ingredient, 1.0)
    return weights.get(WHOLE) if word in MEASURES.pieces else MEASURES.grams.get(word)


def together(one: Quantity, more: Quantity) -> Quantity:
    """Both; what is unknown of one counts for nothing beside what is known of the other."""
    return Quantity(_sum(one.grams, more.grams), _sum(one.pieces, more.pieces))


def _sum(one: float | None, more: float | None) -> float | None:
    return more if one is None else one if more is None else one + more
