"""What to recommend to a user, from what the user looked at last; what is newer counts more.

The stages are those of `candidates`: the neighbours of a release, else what shares ingredients, else what is popular,
which is all that a new user gets.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from serving.catalog.broadcasts import Show
from serving.catalog.mall import SOURCE as KOK
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations import candidates
from serving.recommendations.candidates import POPULAR, Recommendation, Source
from serving.recommendations.recently_viewed import RECIPES, Viewed
from serving.runtime.snapshot import Snapshot

T = TypeVar("T")

# What a view counts against the one after it.
FADING = 0.85
PER_VIEW = 10

Scored = dict[object, tuple[float, T, str, Source]]


def recipes(snapshot: Snapshot, viewed: Sequence[Viewed], k: int) -> Recommendation[Recipe]:
    """Recipes that go with what was looked at, without those that were looked at themselves."""
    found: Scored[Recipe] = {}
    for weight, thing in _weighted(viewed):
        name, picked = _recipes_for(snapshot, thing)
        _add(found, weight, f"viewed:{name}", picked, lambda recipe: recipe.recipe_id)
    for thing in viewed:
        if thing.source == RECIPES:
            found.pop(thing.number, None)
    return _best(snapshot, found, k) or Recommendation(
        tuple((recipe, POPULAR) for recipe in snapshot.recipes.popular[:k]),
        "popular" if snapshot.recipes.popular else None,
        snapshot.release_version,
    )


def products(snapshot: Snapshot, viewed: Sequence[Viewed], k: int, now: datetime) -> Recommendation[KokItem | Show]:
    """Products of the mall, and of shows on air or to come, that go with what was looked at."""
    found: Scored[KokItem | Show] = {}
    for weight, thing in _weighted(viewed):
        for name, picked in _products_for(snapshot, thing, now):
            _add(found, weight, f"viewed:{name}", picked, _key)
    for thing in viewed:
        found.pop(tuple(thing), None)
    best = _best(snapshot, found, k)
    if best:
        return best
    soon = candidates.shows_soon(snapshot, k // 2, now)
    popular: list[tuple[KokItem | Show, str]] = list(soon)
    popular += [(item, POPULAR) for item in snapshot.kok.by_reviews[: k - len(popular)]]
    return Recommendation(tuple(popular), "popular" if popular else None, snapshot.release_version)


def _weighted(viewed: Sequence[Viewed]) -> Iterable[tuple[float, Viewed]]:
    return ((FADING**place, thing) for place, thing in enumerate(viewed))


def _recipes_for(snapshot: Snapshot, thing: Viewed) -> tuple[str, Recommendation[Recipe]]:
    if thing.source == RECIPES:
        recipe = snapshot.recipes.recipes.get(thing.number)
        names = tuple(dict.fromkeys(line.known_as for line in recipe.lines)) if recipe else ()
        picked = candidates.recipes_with(snapshot, names, PER_VIEW)
        return (recipe.title, picked) if recipe else ("", _nothing(snapshot))
    name, ingredients = _about(snapshot, thing)
    picked = candidates.recipes_for(snapshot, thing.source, thing.number, ingredients, PER_VIEW)
    return (name, picked) if name else ("", _nothing(snapshot))


def _products_for(snapshot: Snapshot, thing: Viewed, now: datetime) -> Iterable[tuple[str, Recommendation[Any]]]:
    if thing.source == RECIPES:
        recipe = snapshot.recipes.recipes.get(thing.number)
        if recipe:
            yield recipe.title, candidates.products_for_recipe(snapshot, recipe, PER_VIEW, now)
        return
    name, ingredients = _about(snapshot, thing)
    if not name:
        return
    yield name, candidates.shows_fitting(snapshot, thing.source, thing.number, ingredients, now)
    item = snapshot.kok.items.get(thing.number) if thing.source == KOK else None
    product = snapshot.schedule.product_of(thing.source, thing.number)
    if item:
        yield name, candidates.mall_products_like(snapshot, item, PER_VIEW)
    elif product:
        yield name, candidates.mall_products_for(snapshot, product, PER_VIEW)


def _about(snapshot: Snapshot, thing: Viewed) -> tuple[str, tuple[str, ...]]:
    """Name and ingredients of a product; an empty name for one that is no longer known."""
    if thing.source == KOK:
        item = snapshot.kok.items.get(thing.number)
        return (item.name, item.ingredients) if item else ("", ())
    product = snapshot.schedule.product_of(thing.source, thing.number)
    return (product.name, product.ingredients) if product else ("", ())


def _add(
    found: Scored[T], weight: float, reason: str, picked: Recommendation[Any], key: Callable[[Any], object]
) -> None:
    """Add what a view brings. What is only popular says nothing about the user."""
    if picked.source is None or picked.source == "popular":
        return
    for place, (item, _) in enumerate(picked.items[:PER_VIEW]):
        score = weight / (1 + place)
        before = found.get(key(item))
        if before is None:
            found[key(item)] = (score, item, reason, picked.source)
        else:
            strongest = reason if score > before[0] else before[2]
            found[key(item)] = (before[0] + score, item, strongest, before[3])


def _best(snapshot: Snapshot, found: Scored[T], k: int) -> Recommendation[T] | None:
    """The ``k`` best; they count as the release's where any of them is."""
    if not found:
        return None
    ranked = sorted(found.values(), key=lambda entry: -entry[0])[:k]
    source: Source = "release" if any(entry[3] == "release" for entry in ranked) else "resolved"
    return Recommendation(tuple((item, reason) for _, item, reason, _ in ranked), source, snapshot.release_version)


def _key(offer: KokItem | Show) -> object:
    if isinstance(offer, Show):
        return offer.product.source, offer.product.product_id
    return KOK, offer.product_id


def _nothing(snapshot: Snapshot) -> Recommendation[Recipe]:
    return Recommendation((), None, snapshot.release_version)
