"""What to recommend for a product, a recipe or an ingredient, in a fixed order of fallbacks.

1. ``release``: the neighbours that the release in service holds.
2. ``resolved``: what shares an ingredient that loading resolved the title to; ranked by the release where there is one.
3. ``popular``: what most people liked; of broadcasts, what is on air or next.

Words are looked up in titles (``text``) before the release is asked what means the same.

The first that has anything answers alone, and says so. Of broadcasts only those that are on air or to come are offered,
in order of their start. :mod:`serving.recommendations.personal` does the same for a user.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Generic, Literal, TypeVar

import numpy as np

from serving.catalog.broadcasts import DAYS_AHEAD, Product, Show
from serving.catalog.mall import SOURCE as KOK
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.runtime.snapshot import Snapshot
from serving.web.clock import kst_day, next_midnight

T = TypeVar("T")
Offer = TypeVar("Offer", KokItem, Show)

Source = Literal["release", "text", "resolved", "popular"]
POPULAR = "popular"
# How many neighbours of a product or recipe a release holds.
NEIGHBOURS = 20
# Below this cosine a text and a title have nothing to do with each other, as when a release is built.
LEAST_COSINE = 0.35


@dataclass(frozen=True)
class Recommendation(Generic[T]):
    """Items with the reason for each; ``source`` is None when there is nothing to recommend."""

    items: tuple[tuple[T, str], ...]
    source: Source | None
    release_version: str | None

    @property
    def fallback(self) -> bool:
        """Whether something simpler than the release answered."""
        return self.source not in {"release", "text"}


def recipes_for(
    snapshot: Snapshot, source: str, product_id: int, ingredients: Sequence[str], k: int
) -> Recommendation[Recipe]:
    """Recipes to cook with a product."""
    release = snapshot.release
    neighbours = (release.product_recipes(source, product_id, k) if release else None) or []
    known = _recipes(snapshot, ((neighbour.recipe_id, neighbour.reason) for neighbour in neighbours))
    resolved = () if known else _recipes_with(snapshot, ingredients, k)
    popular = () if known or resolved else tuple((recipe, POPULAR) for recipe in snapshot.recipes.popular[:k])
    return _first(snapshot, known, resolved, popular)


def recipes_with(snapshot: Snapshot, ingredients: Sequence[str], k: int) -> Recommendation[Recipe]:
    """Recipes that hold the most telling of some ingredients."""
    neighbours = snapshot.release.recipes_with(ingredients, k) if snapshot.release else []
    known = _recipes(snapshot, ((neighbour.recipe_id, neighbour.reason) for neighbour in neighbours))
    return _first(snapshot, known, () if known else _recipes_with(snapshot, ingredients, k), ())


def recipes_using(snapshot: Snapshot, ingredients: Sequence[str]) -> list[tuple[Recipe, int]]:
    """Every recipe that holds any of some ingredients, with how many it holds: those first that hold the most telling.

    An ingredient tells the more, the fewer recipes hold it. Of recipes that hold the same, those come first that need
    least besides, then the popular.
    """
    book = snapshot.recipes
    scores = np.zeros(len(book.popular))
    counts = np.zeros(len(book.popular), np.int32)
    for name in dict.fromkeys(ingredients):
        posting = book.postings.get(name)
        if posting is not None:
            scores[posting] += np.log((1 + len(book.popular)) / len(posting))
            counts[posting] += 1
    found = np.flatnonzero(counts)
    sizes = np.array([len(book.popular[row].lines) for row in found.tolist()], np.int32)
    order = found[np.lexsort((found, sizes, -scores[found]))]
    return [(book.popular[row], int(counts[row])) for row in order.tolist()]


def recipes_named(snapshot: Snapshot, keyword: str, k: int) -> Recommendation[Recipe]:
    """Recipes whose title or dish holds words, else those that the release's encoder finds alike."""
    named = tuple((recipe, f"title:{keyword}") for recipe in snapshot.recipes.search(keyword, snapshot.knows)[:k])
    alike = snapshot.release.recipes_like(keyword, k) if snapshot.release and not named else []
    known = _recipes(snapshot, ((n.recipe_id, n.reason) for n in alike if n.score >= LEAST_COSINE))
    return _first(snapshot, known, (), (), named=named)


def products_named(snapshot: Snapshot, keyword: str, k: int, now: datetime) -> Recommendation[KokItem | Show]:
    """Products whose title holds words: at most half of them in shows, on air or to come, the others in the mall."""
    reason = f"title:{keyword}"
    shows = snapshot.schedule.search(keyword, snapshot.knows, now)[: max(1, k // 2)]
    named: list[tuple[KokItem | Show, str]] = [(show, reason) for show in shows]
    named += [(item, reason) for item in snapshot.kok.search(keyword, snapshot.knows)[: k - len(named)]]
    return _first(snapshot, (), (), (), named=named)


def mall_products_for(snapshot: Snapshot, product: Product, k: int) -> Recommendation[KokItem]:
    """Products of the mall that go with a broadcast product; popular ones only where it is food."""
    release = snapshot.release
    neighbours = (release.similar_products(product.source, product.product_id, KOK, k) if release else None) or []
    known = _listed(snapshot, ((neighbour.product_id, neighbour.reason) for neighbour in neighbours))
    sharing = _sharing(product.ingredients, snapshot.kok.by_ingredient)
    popular = snapshot.kok.by_reviews if product.is_food else ()
    return _first(snapshot, known, tuple(islice(sharing, k)), tuple((item, POPULAR) for item in popular[:k]))


def mall_products_like(snapshot: Snapshot, item: KokItem, k: int) -> Recommendation[KokItem]:
    """Other products of the mall that are like one of its own."""
    release = snapshot.release
    neighbours = (release.similar_products(KOK, item.product_id, KOK, NEIGHBOURS) if release else None) or []
    known = _listed(snapshot, ((neighbour.product_id, neighbour.reason) for neighbour in neighbours))
    sharing = _sharing(item.ingredients, snapshot.kok.by_ingredient)
    popular = ((other, POPULAR) for other in snapshot.kok.by_reviews)

    def others(pairs: Iterable[tuple[KokItem, str]]) -> tuple[tuple[KokItem, str], ...]:
        return tuple(islice((pair for pair in pairs if _goods(pair[0]) != _goods(item)), k))

    return _first(snapshot, others(known), others(sharing), others(popular))


def shows_fitting(
    snapshot: Snapshot, source: str, product_id: int, ingredients: Sequence[str], now: datetime
) -> Recommendation[Show]:
    """Broadcasts, on air or to come, of what is like a product, the most alike first."""
    release = snapshot.release
    neighbours = (release.similar_products(source, product_id, "home_shopping", NEIGHBOURS) if release else None) or []
    products = ((snapshot.schedule.product_of(n.source, n.product_id), n.reason) for n in neighbours)
    known = tuple(_shown(snapshot, ((product, reason) for product, reason in products if product), now))
    sharing = (
        (product, f"contains:{name}")
        for name in ingredients
        for product in snapshot.schedule.by_ingredient.get(name, ())
    )
    others = ((p, reason) for p, reason in sharing if (p.source, p.product_id) != (source, product_id))
    return _first(snapshot, known, () if known else _by_start(_shown(snapshot, others, now)), ())


def shows_like(
    snapshot: Snapshot, source: str, product_id: int, ingredients: Sequence[str], k: int, now: datetime
) -> Recommendation[Show]:
    """The same in order of their start; where there are none, other food that is on air or comes next."""
    fitting = shows_fitting(snapshot, source, product_id, ingredients, now)
    if not fitting.items:
        soon = shows_soon(snapshot, k + 1, now)
        others = [(s, why) for s, why in soon if (s.product.source, s.product.product_id) != (source, product_id)]
        return _first(snapshot, (), (), others[:k])
    return replace(fitting, items=_by_start(fitting.items)[:k])


def shows_soon(snapshot: Snapshot, k: int, now: datetime) -> tuple[tuple[Show, str], ...]:
    """Food that is on air or comes next, as far as the schedule is shown, each product once."""
    today = kst_day(now)
    days = snapshot.schedule.food_between(today - timedelta(days=1), today + DAYS_AHEAD)
    coming = (show for show in days if show.ends_at > now)
    return tuple(islice(_once((show, POPULAR) for show in coming), k))


def products_for_recipe(snapshot: Snapshot, recipe: Recipe, k: int, now: datetime) -> Recommendation[KokItem | Show]:
    """What to buy for a recipe, in the mall and on air: for its most telling ingredients first."""
    neighbours = snapshot.release.recipe_products(recipe.recipe_id, NEIGHBOURS) if snapshot.release else []
    offers = ((offer_of(snapshot, n.source, n.product_id, now), n.reason) for n in neighbours)
    known = tuple((offer, reason) for offer, reason in offers if offer)
    names = dict.fromkeys(line.known_as for line in recipe.lines)
    per_name = [islice(snapshot.kok.by_ingredient.get(name, ()), 1) for name in names]
    resolved = tuple((item, f"contains:{name}") for name, items in zip(names, per_name, strict=True) for item in items)
    return _first(snapshot, known[:k], resolved[:k], tuple((item, POPULAR) for item in snapshot.kok.by_reviews[:k]))


def offer_of(snapshot: Snapshot, source: str, product_id: int, now: datetime) -> KokItem | Show | None:
    """A product as it can be bought now: listed in the mall, or in a show on air or to come."""
    if source == KOK:
        item = snapshot.kok.items.get(product_id)
        return item if item and item.listed else None
    product = snapshot.schedule.product_of(source, product_id)
    return snapshot.schedule.next_show(product, now) if product else None


def next_change(picked: Recommendation[KokItem | Show], now: datetime) -> datetime | None:
    """When time alone may change what is to be offered; None where it never does.

    That is when one of the offered shows starts or ends. What is popular, or nothing, holds until midnight at most,
    when another day of the schedule is looked at.
    """
    shows = [offer for offer, _ in picked.items if isinstance(offer, Show)]
    changes = [show.starts_at if show.starts_at > now else show.ends_at for show in shows]
    if picked.source in {None, "popular"}:
        changes.append(next_midnight(now))
    return min(changes, default=None)


def mall_products_with(snapshot: Snapshot, ingredient: str, k: int) -> tuple[tuple[KokItem, str], ...]:
    """Products of the mall to buy an ingredient as, else those that are called like it."""
    name = snapshot.recipes.name_of(ingredient)
    resolved = tuple(islice(_sharing((name,), snapshot.kok.by_ingredient), k))
    spellings = dict.fromkeys((name, " ".join(ingredient.split())))
    named = ((item, f"title:{spelling}") for spelling in spellings for item in snapshot.kok.named(spelling))
    return resolved or tuple(islice(_once(named), k))


def shows_with(snapshot: Snapshot, ingredient: str, k: int, now: datetime) -> tuple[tuple[Show, str], ...]:
    """Broadcasts, on air or to come, of an ingredient."""
    name = snapshot.recipes.name_of(ingredient)
    shows = ((show, f"contains:{name}") for show in snapshot.schedule.with_ingredient(name, now))
    return tuple(islice(_once(shows), k))


def _first(
    snapshot: Snapshot,
    known: Sequence[tuple[T, str]],
    resolved: Sequence[tuple[T, str]],
    popular: Sequence[tuple[T, str]],
    *,
    named: Sequence[tuple[T, str]] = (),
) -> Recommendation[T]:
    stages: tuple[tuple[Source, Sequence[tuple[T, str]]], ...] = (
        ("text", named),
        ("release", known),
        ("resolved", resolved),
        ("popular", popular),
    )
    for source, items in stages:
        if items:
            return Recommendation(tuple(items), source, snapshot.release_version)
    return Recommendation((), None, snapshot.release_version)


def _shown(snapshot: Snapshot, products: Iterable[tuple[Product, str]], now: datetime) -> Iterator[tuple[Show, str]]:
    """The show on air or next of each product, of the same goods the first."""
    found = ((snapshot.schedule.next_show(product, now), reason) for product, reason in products)
    return _once((show, reason) for show, reason in found if show)


def _by_start(shows: Iterable[tuple[Show, str]]) -> tuple[tuple[Show, str], ...]:
    return tuple(sorted(shows, key=lambda pair: (pair[0].starts_at, pair[0].live_id)))


def _recipes(snapshot: Snapshot, neighbours: Iterable[tuple[int, str]]) -> tuple[tuple[Recipe, str], ...]:
    """Recipes that the database still holds."""
    found = ((snapshot.recipes.recipes.get(recipe_id), reason) for recipe_id, reason in neighbours)
    return tuple((recipe, reason) for recipe, reason in found if recipe)


def _recipes_with(snapshot: Snapshot, ingredients: Sequence[str], k: int) -> tuple[tuple[Recipe, str], ...]:
    if not ingredients:
        return ()
    if snapshot.release:
        neighbours = snapshot.release.recipes_with(ingredients, k)
        found = _recipes(snapshot, ((neighbour.recipe_id, neighbour.reason) for neighbour in neighbours))
        if found:
            return found
    for names in (ingredients, ingredients[:1]):
        together = snapshot.recipes.with_all(names, k)
        if together:
            return tuple((recipe, f"contains:{','.join(names)}") for recipe in together)
    return ()


def _listed(snapshot: Snapshot, neighbours: Iterable[tuple[int, str]]) -> tuple[tuple[KokItem, str], ...]:
    """Mall products that are still listed, of the same goods the first."""
    found = ((snapshot.kok.items.get(product_id), reason) for product_id, reason in neighbours)
    return tuple(_once((item, reason) for item, reason in found if item and item.listed))


def _sharing(
    ingredients: Iterable[str], by_ingredient: dict[str, tuple[KokItem, ...]]
) -> Iterable[tuple[KokItem, str]]:
    return _once((item, f"contains:{name}") for name in ingredients for item in by_ingredient.get(name, ()))


def _once(offers: Iterable[tuple[Offer, str]]) -> Iterator[tuple[Offer, str]]:
    """Of several offers of the same goods the first."""
    seen: set[object] = set()
    for offer, reason in offers:
        goods = _goods(offer)
        if goods not in seen:
            seen.add(goods)
            yield offer, reason


def _goods(offer: KokItem | Show) -> object:
    """What several listings may offer; a listing that was not compared with others is goods of its own."""
    if isinstance(offer, Show):
        return offer.product.item_id or (offer.product.source, offer.product.product_id)
    return offer.item_id or offer.product_id
