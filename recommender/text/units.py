"""The table of units that titles, recipe lines, linking and searches share; its rows are in ``units.csv``.

Columns of the file:

- ``unit``: the name under which all spellings of a row are the same unit.
- ``spellings``: separated by blanks; ``_`` is a blank that may be missing (``큰_술``). Case counts only where two
  spellings differ by it (``T``, ``t``).
- ``sort``: ``gram``, ``millilitre``, ``day``: ``size`` says how many of these one unit is. ``whole``: one whole of
  something (2개, 2알 and 2쪽 count the same). ``part``: a part, a bundle or a container of no fixed size. ``length``:
  a measure across, an amount only where the text holds no other. ``label``: follows a number that is no amount (2등급).
- ``rank``: what the unit measures in titles: ``measure`` < ``piece`` < ``pack`` < ``box``, empty if it does not.
- ``alone``: whether the bare word after a name is a unit that lost its number (``설탕 큰술``), or else part of the
  name (``성게 알``).
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

Sort = Literal["gram", "millilitre", "day", "whole", "part", "length", "label"]
Rank = Literal["", "measure", "piece", "pack", "box"]

TABLE: Final = Path(__file__).with_suffix(".csv")


class Unit(NamedTuple):
    """A unit by its ``name``; ``size`` is its number of grams, millilitres or days, None for other sorts."""

    name: str
    sort: Sort
    size: float | None
    rank: Rank
    alone: bool


def find_unit(word: str) -> Unit | None:
    """The unit of a spelling, blanks and case aside; None for any other word."""
    spelling = unicodedata.normalize("NFKC", word).replace(" ", "")
    return UNITS.get(spelling) or UNITS.get(spelling.lower())


def unit_pattern(spellings: Iterable[str]) -> str:
    """Regular expression of any of the spellings, the longest first; no group, any case."""
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    alternatives = "|".join(re.escape(spelling).replace("_", r"\s?") for spelling in longest_first)
    return f"(?i:{alternatives})"


def _read_table() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            size = float(row["size"]) if row["size"] else None
            unit = Unit(row["unit"], cast(Sort, row["sort"]), size, cast(Rank, row["rank"]), row["alone"] == "yes")
            units |= dict.fromkeys(row["spellings"].split(), unit)
    return units


# By spelling as in the file.
SPELLINGS: Final = _read_table()
UNITS: Final = {spelling.replace("_", ""): unit for spelling, unit in SPELLINGS.items()}
