"""Do titles name the ingredients that they are said to have?"""

from collections.abc import Iterable
from functools import cache

from recommender.evaluation.catalog import CatalogProduct, CatalogRecipe
from recommender.evaluation.results import NamingFigures
from recommender.text import lexicon
from recommender.text.titles import plain


def naming_figures(entries: Iterable[CatalogProduct | CatalogRecipe]) -> NamingFigures:
    """Share of the entries with ingredients whose title spells one of them, by name or by another spelling."""
    resolved = [entry for entry in entries if entry.ingredients]
    named = [any(_names(entry.title, name) for name in entry.ingredients) for entry in resolved]
    return NamingFigures(titles=len(resolved), named=sum(named) / len(named) if named else None)


def _names(title: str, ingredient: str) -> bool:
    letters = plain(title).replace(" ", "")
    return any(spelling in letters for spelling in (ingredient, *_spellings().get(ingredient, ())))


@cache
def _spellings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for variant, name in lexicon.ingredients().canonical.items():
        found.setdefault(name, []).append(variant)
    return found
