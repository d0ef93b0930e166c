"""What to recommend, in a fixed order of fallbacks.

1. ``release``: the neighbours that the release in service holds.
2. ``resolved``: what shares an ingredient that loading resolved the title to; ranked by the release where there is one.
3. ``popular``: what most people liked.

The first that has anything answers alone, and says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Generic, Literal, TypeVar

from serving.common.view import View
from serving.home_shopping.queries import Product, Show
from serving.kok.queries import KokItem
from serving.recipe.queries import Recipe

T = TypeVar("T")

Source = Literal["release", "resolved", "popular"]
POPULAR = "popular"


@dataclass(frozen=True)
class Recommendation(Generic[T]):
    """Items with the reason for each; ``source`` is None when there is nothing to recommend."""

    items: tuple[tuple[T, str], ...]
    source: Source | None
    release_version: str | None

    @property
    def fallback(self) -> bool:
        """Whether something simpler than the release answered."""
        return self.source != "release"


def recipes_for(view: View, source: str, product_id: int, ingredients: Sequence[str], k: int) -> Recommendation[Recipe]:
    """Recipes to cook with a product."""
    release = view.release
    neighbours = (release.product_recipes(source, product_id, k) if release else None) or []
    known = _recipes(view, ((neighbour.recipe_id, neighbour.reason) for neighbour in neighbours))
    resolved = () if known else _recipes_with(view, ingredients, k)
    popular = () if known or resolved else tuple((recipe, POPULAR) for recipe in view.recipes.popular[:k])
    return _first(view, known, resolved, popular)


def mall_products_for(view: View, product: Product, k: int) -> Recommendation[KokItem]:
    """Products of the mall that go with a broadcast product; popular ones only where it is food."""
    release = view.release
    neighbours = (release.similar_products(product.source, product.product_id, "kok", k) if release else None) or []
    known = _listed(view, ((neighbour.product_id, neighbour.reason) for neighbour in neighbours))
    sharing = _sharing(product.ingredients, view.kok.by_ingredient)
    popular = view.kok.by_reviews if product.is_food else ()
    return _first(view, known, tuple(islice(sharing, k)), tuple((item, POPULAR) for item in popular[:k]))


def mall_products_with(view: View, ingredient: str, k: int) -> tuple[tuple[KokItem, str], ...]:
    """Products of the mall to buy an ingredient as, else those whose title names it."""
    name = view.recipes.name_of(ingredient)
    resolved = tuple(islice(_sharing((name,), view.kok.by_ingredient), k))
    return resolved or tuple((item, f"title:{ingredient}") for item in view.kok.search(ingredient)[:k])


def shows_with(view: View, ingredient: str, k: int, now: datetime) -> tuple[tuple[Show, str], ...]:
    """Broadcasts, on air or to come, of an ingredient."""
    name = view.recipes.name_of(ingredient)
    return tuple((show, f"contains:{name}") for show in view.schedule.with_ingredient(name, now)[:k])


def _first(
    view: View, known: Sequence[tuple[T, str]], resolved: Sequence[tuple[T, str]], popular: Sequence[tuple[T, str]]
) -> Recommendation[T]:
    stages: tuple[tuple[Source, Sequence[tuple[T, str]]], ...] = (
        ("release", known),
        ("resolved", resolved),
        ("popular", popular),
    )
    for source, items in stages:
        if items:
            return Recommendation(tuple(items), source, view.release_version)
    return Recommendation((), None, view.release_version)


def _recipes(view: View, neighbours: Iterable[tuple[int, str]]) -> tuple[tuple[Recipe, str], ...]:
    """Recipes that the database still holds."""
    found = ((view.recipes.recipes.get(recipe_id), reason) for recipe_id, reason in neighbours)
    return tuple((recipe, reason) for recipe, reason in found if recipe)


def _recipes_with(view: View, ingredients: Sequence[str], k: int) -> tuple[tuple[Recipe, str], ...]:
    if not ingredients:
        return ()
    if view.release:
        neighbours = view.release.recipes_with(ingredients, k)
        found = _recipes(view, ((neighbour.recipe_id, neighbour.reason) for neighbour in neighbours))
        if found:
            return found
    reason = f"contains:{','.join(ingredients)}"
    together = view.recipes.with_all(ingredients)[:k]
    main = view.recipes.with_all(ingredients[:1])[:k]
    return tuple((recipe, reason) for recipe in together) or tuple((r, f"contains:{ingredients[0]}") for r in main)


def _listed(view: View, neighbours: Iterable[tuple[int, str]]) -> tuple[tuple[KokItem, str], ...]:
    """Mall products that are still listed."""
    found = ((view.kok.items.get(product_id), reason) for product_id, reason in neighbours)
    return tuple((item, reason) for item, reason in found if item and item.listed)


def _sharing(
    ingredients: Iterable[str], by_ingredient: dict[str, tuple[KokItem, ...]]
) -> Iterable[tuple[KokItem, str]]:
    seen: set[int] = set()
    for name in ingredients:
        for item in by_ingredient.get(name, ()):
            if item.product_id not in seen:
                seen.add(item.product_id)
                yield item, f"contains:{name}"
