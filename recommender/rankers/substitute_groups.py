"""Which ingredients are one thing by other names, and which stand for each other: the groups of the lexicon."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from recommender.text import lexicon
from recommender.text.ingredients import canonical_name
from recommender.text.titles import plain

_FILE: Final = Path(lexicon.__file__).parent / "substitutes.txt"
_OTHER_NAMES: Final = "[다른 이름]"
_PARTS: Final = re.compile(r"[(),/]")

Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class SubstituteGroups:
    """`things`: other name -> name; `close` and `makeshift`: name -> names that can replace it, well or at a pinch.

    Names are without spaces; `known` are all of the groups.
    """

    things: Mapping[str, str]
    close: Names
    makeshift: Names
    known: frozenset[str]

    def thing_of(self, written: str) -> str:
        """What a name means, however it is written: 홍고추 for `고추(붉은고추(홍고추))`, 숙주 for 숙주나물.

        The innermost part of a name decides, if it is the same ingredient as the whole; else the whole name does.
        """
        whole, ingredient = squeezed_name(written), canonical_name(written)
        parts = [part for part in reversed(_PARTS.split(whole)[1:]) if part]
        alike = (part for part in parts if ingredient is not None and canonical_name(part) == ingredient)
        name = whole if whole in self.things else next(alike, whole)
        return self.things.get(name, name)

    def known_name(self, thing: str, ingredient: str) -> str:
        """The name that the groups know: that of the thing itself, else that of its ingredient."""
        return thing if thing in self.known else self.things.get(ingredient, ingredient)


def squeezed_name(written: str) -> str:
    """A name in lower case, without spaces."""
    return plain(written).replace(" ", "")


@cache
def substitute_groups() -> SubstituteGroups:
    """The groups of the lexicon, whose file says how they are written."""
    things: dict[str, str] = {}
    close: dict[str, set[str]] = defaultdict(set)
    makeshift: dict[str, set[str]] = defaultdict(set)
    section = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip()
        elif section == _OTHER_NAMES:
            name, _, others = line.partition("=")
            things |= dict.fromkeys(_names(others), squeezed_name(name))
        elif line and not line.startswith("#"):
            members, others_of_them = ({things.get(n, n) for n in _names(part)} for part in _halves(line))
            for name in members:
                close[name] |= members - {name}
                makeshift[name] |= others_of_them - {name}
    return SubstituteGroups(
        things,
        {name: frozenset(names) for name, names in close.items()},
        {name: frozenset(names - close[name]) for name, names in makeshift.items()},
        frozenset(close) | frozenset[str]().union(*makeshift.values()),
    )


def _halves(line: str) -> tuple[str, str]:
    close, _, makeshift = line.partition("~")
    return close, makeshift


def _names(listed: str) -> list[str]:
    return [squeezed_name(name) for name in listed.split(",") if name.strip()]
