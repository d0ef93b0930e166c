"""Judgements by rule, for relations that nobody has judged: what a good answer shares with its query.

They grade by titles and ingredients of the catalog, not by the files of a release, and are complete: what a rule does
not accept is wrong. They tell a working relation from a broken one. How good a working one is only people can judge.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from recommender.evaluation.answers import ingredient_item
from recommender.evaluation.catalog import Catalog, CatalogProduct, CatalogRecipe
from recommender.evaluation.judgements import Judgements
from recommender.evaluation.typos import misspell
from recommender.text import lexicon
from recommender.text.titles import normalise_title

# Queries of a relation, evenly spaced over all: with some three hundred the figures are good to two digits.
MAX_QUERIES: Final = 300
# Substitutes are judged for ingredients of at least this share of the recipes: others have no reliable vector.
MIN_RECIPE_SHARE: Final = 0.01
# Ingredients that occur together this many times as often as by chance go together, and do not replace each other.
MAX_LIFT: Final = 1.5
# Ingredients, the first ones listed, that recipes are searched by.
SEARCHED_INGREDIENTS: Final = 3

T = TypeVar("T")
Grades = dict[str, dict[str, int]]


def evenly_spaced(entries: Sequence[T], at_most: int = MAX_QUERIES) -> Sequence[T]:
    """At most so many entries, evenly spaced."""
    return entries[:: max(1, -(-len(entries) // at_most))]


def similar_products(
    queries: Sequence[CatalogProduct], by_ingredient: Mapping[str, Sequence[CatalogProduct]]
) -> Judgements:
    """Similar products have the same main ingredient: 2 if both are raw or both finished, else 1."""
    chosen = evenly_spaced([query for query in queries if query.ingredients and query.ingredients[0] in by_ingredient])
    return _complete(
        (query.item, {c.item: _similarity(query, c) for c in by_ingredient[query.ingredients[0]] if c != query})
        for query in chosen
    )


def product_recipes(catalog: Catalog) -> Judgements:
    """Recipes of a cooking ingredient contain it: 2 if their title names it, else 1."""
    used = catalog.recipes_by_ingredient
    queries = [q for q in catalog.products if q.is_ingredient and q.ingredients and q.ingredients[0] in used]
    return _complete(
        (query.item, {recipe.item: 1 + (query.ingredients[0] in recipe.title) for recipe in used[query.ingredients[0]]})
        for query in evenly_spaced(queries)
    )


def recipe_products(catalog: Catalog) -> Judgements:
    """Products of a recipe are ingredients of it: 2 if its title names them or lists them in the first half, else 1."""
    by_main = _by_main_ingredient(catalog.products)
    return _complete(
        (
            recipe.item,
            {
                product.item: 1 + (name in recipe.title or 2 * place < len(recipe.ingredients))
                for place, name in enumerate(recipe.ingredients)
                for product in by_main.get(name, ())
            },
        )
        for recipe in evenly_spaced(
            [recipe for recipe in catalog.recipes if not by_main.keys().isdisjoint(recipe.ingredients)]
        )
    )


def ingredient_products(catalog: Catalog) -> Judgements:
    """Products to buy as an ingredient are this ingredient: 2 if raw, else 1."""
    by_main = _by_main_ingredient(catalog.mall)
    names = sorted(by_main.keys() & catalog.recipes_by_ingredient.keys())
    return _complete(
        (name, {product.item: 1 + product.is_ingredient for product in by_main[name]}) for name in evenly_spaced(names)
    )


def substitutes(catalog: Catalog) -> Judgements:
    """Substitutes are of the same section of the lexicon: 2 if they seldom occur together, else 1.

    A name as recipes write it (국간장 for 간장) counts like its ingredient; another kind of the same ingredient is 1.
    """
    kinds = lexicon.ingredients().kind
    counts = {name: len(recipes) for name, recipes in catalog.recipes_by_ingredient.items()}
    total = max(len(catalog.recipes), 1)
    members: dict[str, list[str]] = {}
    for name in sorted(counts):
        if name in kinds:
            members.setdefault(kinds[name], []).append(name)
    grades: Grades = {}
    for name in evenly_spaced([n for n in sorted(counts) if n in kinds and counts[n] >= MIN_RECIPE_SHARE * total]):
        together = Counter(other for recipe in catalog.recipes_by_ingredient[name] for other in set(recipe.ingredients))
        grades[name] = {
            ingredient_item(other): 1 + (together[other] * total <= MAX_LIFT * counts[name] * counts[other])
            for other in members[kinds[name]]
            if other != name
        }
        grades[name] |= {
            ingredient_item(written): grades[name].get(ingredient_item(other), 1)
            for written, other in catalog.written.items()
            if kinds.get(other) == kinds[name] and written != name
        }
    return _complete(grades.items())


def recipes_by_ingredients(catalog: Catalog) -> Judgements:
    """Recipes with some ingredients contain them: 2 if all, 1 if all but one."""
    grades: Grades = {}
    for recipe in evenly_spaced([each for each in catalog.recipes if len(each.ingredients) >= SEARCHED_INGREDIENTS]):
        names = recipe.ingredients[:SEARCHED_INGREDIENTS]
        held = Counter(each.item for name in names for each in catalog.recipes_by_ingredient[name])
        grades[",".join(names)] = {
            item: 2 - (SEARCHED_INGREDIENTS - count)
            for item, count in held.items()
            if count >= SEARCHED_INGREDIENTS - 1
        }
    return _complete(grades.items())


def misspelt_titles(entries: Sequence[CatalogProduct | CatalogRecipe]) -> Judgements:
    """A title with a spelling mistake finds the items with that title."""
    titles = [normalise_title(entry.title) for entry in entries]
    by_title: dict[str, dict[str, int]] = {}
    for title, entry in zip(titles, entries, strict=True):
        by_title.setdefault(title, {})[entry.item] = 2
    chance = random.Random(len(titles))  # noqa: S311 - the same mistakes in every run
    grades: Grades = {}
    for title in evenly_spaced(list(by_title)):
        if (query := misspell(title, chance)) != title:
            grades[query] = by_title[title]
    return _complete(grades.items())


def _similarity(query: CatalogProduct, candidate: CatalogProduct) -> int:
    same = query.ingredients[0] == candidate.ingredients[0] and query.is_ingredient == candidate.is_ingredient
    return 2 if same else 1


def _by_main_ingredient(products: Iterable[CatalogProduct]) -> dict[str, list[CatalogProduct]]:
    found: dict[str, list[CatalogProduct]] = {}
    for product in products:
        if product.ingredients:
            found.setdefault(product.ingredients[0], []).append(product)
    return found


def _complete(grades: Iterable[tuple[str, dict[str, int]]]) -> Judgements:
    return Judgements({query: known for query, known in grades if known}, complete=True)
