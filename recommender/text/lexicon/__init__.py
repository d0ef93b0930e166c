"""Word lists: cooking ingredients with their variants, and words that classify titles and recipe lines."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent


class Ingredients(NamedTuple):
    """`canonical`: variant (without spaces, lower case) -> canonical name. `kind`: canonical name -> section."""

    canonical: dict[str, str]
    kind: dict[str, str]


def _lines(name: str) -> list[str]:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def ingredients() -> Ingredients:
    """The lexicon of cooking ingredients. Of two entries with the same variant, one that has it as its name wins."""
    canonical: dict[str, str] = {}
    kind: dict[str, str] = {}
    section = ""
    for line in _lines("ingredients.txt"):
        if line.startswith("["):
            section = line.strip("[]")
            continue
        name, _, variants = line.partition("=")
        kind[name.strip()] = section
        for variant in variants.split(","):
            if variant.strip():
                canonical.setdefault(variant.strip().replace(" ", "").lower(), name.strip())
    return Ingredients(canonical | {name: name for name in kind}, kind)


@cache
def words(name: str) -> dict[str, frozenset[str]]:
    """Section -> words of a list: `titles`, `remarks` or `listings`."""
    found: dict[str, set[str]] = {}
    section = ""
    for line in _lines(f"{name}.txt"):
        if line.startswith("["):
            section = line.strip("[]")
        else:
            found.setdefault(section, set()).update(line.lower().split())
    return {section: frozenset(members) for section, members in found.items()}


def fingerprint_source() -> bytes:
    """The bytes of all lists, for version hashes."""
    return b"".join(path.read_bytes() for path in sorted(_FOLDER.glob("*.txt")))
