"""Word lists: cooking ingredients with their variants, and words that classify titles and recipe lines."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Ingredients(NamedTuple):
    """`canonical`: variant (without spaces, lower case) -> canonical name. `kind`: canonical name -> section."""

    canonical: dict[str, str]
    kind: dict[str, str]


def _lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text(encoding="utf-8")
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
def in_season(month: int) -> tuple[str, ...]:
    """Ingredients in season in a month (1 … 12), by canonical name (``seasons.txt``)."""
    lines = (line.partition("=") for line in _lines("seasons.txt"))
    return next(tuple(names.split()) for number, _, names in lines if int(number) == month)


class ProductType(NamedTuple):
    """A type of finished goods: what it is, where it stands, and what a ready dish is made of."""

    name: str
    kind: str
    department: str
    shelf: str
    ingredients: tuple[str, ...]


@cache
def products() -> dict[str, ProductType]:
    """Spelling -> type of the goods that shops sell besides cooking ingredients (``products.txt``)."""
    found: dict[str, ProductType] = {}
    kind = department = shelf = ""
    for line in _lines("products.txt"):
        if line.startswith("["):
            place, kind = line.strip("[]").split()
            department, shelf = place.split("/")
            continue
        spellings, _, made_of = line.partition(">")
        name, _, variants = spellings.partition("=")
        ingredients = tuple(part.strip() for part in made_of.split(",") if part.strip())
        product = ProductType(name.strip(), kind, department, shelf, ingredients)
        for variant in (name, *variants.split(",")):
            if variant.strip():
                found.setdefault(variant.strip().replace(" ", "").lower(), product)
    return found


@cache
def shelves() -> dict[str, str]:
    """Type -> shelf, of ingredients and of finished goods."""
    return ingredients().kind | {product.name: product.shelf for product in products().values()}


@cache
def departments() -> dict[str, str]:
    """Shelf -> department, of ingredients and of finished goods."""
    listed = (pair.split("=") for pair in words("titles")["department"])
    of_ingredients = {shelf: department for department, shelves in listed for shelf in shelves.split(",")}
    return of_ingredients | {product.shelf: product.department for product in products().values()}


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
    return b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.txt")))
