"""Candidate generators: each yields items for one kind of request, lazily and best first.

:mod:`serving.recommendations.relations` says which generators answer what, and in which order. Shows are offered only
while they are on air or to come.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol, TypeVar

from recommender.models.neighbours import SIMILAR
from recommender.product_ref import KOK, ProductRef
from serving.catalog.broadcasts import DAYS_AHEAD, Product, Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations.stages import Candidate
from serving.runtime.snapshot import Snapshot
from serving.web.clock import kst_day

Offer = KokItem | Show
OfferT = TypeVar("OfferT", KokItem, Show)

POPULAR = "popular"
# Neighbours of a product or recipe in a release.
NEIGHBOURS = 20
# Texts below this cosine are unrelated; the same limit as when a release is built.
LEAST_COSINE = 0.35


@dataclass(frozen=True, slots=True)
class ProductRequest:
    """What goes with a product of the mall or of a broadcaster."""

    product: KokItem | Product
    k: int

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Ingredients that the title was resolved to, the main one first."""
        return self.product.ingredients


@dataclass(frozen=True, slots=True)
class ProductShowsRequest(ProductRequest):
    """Which shows, on air or to come at ``now``, go with a product."""

    now: datetime


@dataclass(frozen=True, slots=True)
class MallItemRequest:
    """Which other mall products go with one of the mall's own."""

    item: KokItem
    k: int


@dataclass(frozen=True, slots=True)
class IngredientsRequest:
    """What contains some ingredients, given by canonical name."""

    ingredients: Sequence[str]
    k: int


@dataclass(frozen=True, slots=True)
class CartRequest:
    """Recipes for the ingredients of a cart: ``positions`` is the page of ranked recipes to show, of ``k`` at most."""

    ingredients: Sequence[str]
    positions: Sequence[int]
    k: int


@dataclass(frozen=True, slots=True)
class RecipeRequest:
    """What to buy for a recipe at ``now``."""

    recipe: Recipe
    k: int
    now: datetime


@dataclass(frozen=True, slots=True)
class IngredientRequest:
    """What stands for one ingredient, in any spelling."""

    ingredient: str
    k: int


@dataclass(frozen=True, slots=True)
class IngredientShowsRequest(IngredientRequest):
    """Which shows, on air or to come at ``now``, sell an ingredient."""

    now: datetime


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a text finds at ``now``."""

    keyword: str
    k: int
    now: datetime


@dataclass(frozen=True, slots=True)
class PopularRequest:
    """What is popular."""

    k: int


@dataclass(frozen=True, slots=True)
class PopularShowsRequest(PopularRequest):
    """What is popular, shows on air or to come at ``now`` included."""

    now: datetime


class HasIngredients(Protocol):
    """A request for what contains some ingredients, the main one first."""

    @property
    def ingredients(self) -> Sequence[str]: ...

    @property
    def k(self) -> int: ...


def find_product(snapshot: Snapshot, ref: ProductRef) -> KokItem | Product | None:
    """The product of a ref: of the mall, listed or not, or of a broadcaster if it is in the schedule."""
    return snapshot.kok.items.get(ref.product_id) if ref.source == KOK else snapshot.schedule.product_by_ref(ref)


def neighbour_recipes(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """Neighbours of the product in the release."""
    if snapshot.release:
        for neighbour in snapshot.release.product_recipes(request.product.ref, request.k):
            yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def recipes_ranked_by_release(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """Recipes with the most informative of the ingredients, then those nearest to them in the release's vectors."""
    if snapshot.release:
        for neighbour in snapshot.release.recipes_by_ingredients(request.ingredients, request.k):
            yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def recipes_with_all_ingredients(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes that contain every ingredient."""
    reason = f"contains:{','.join(request.ingredients)}"
    return (Candidate(recipe, reason) for recipe in snapshot.recipes.with_all(request.ingredients, request.k))


def recipes_with_main_ingredient(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes that contain the first ingredient."""
    return recipes_with_all_ingredients(snapshot, IngredientsRequest(request.ingredients[:1], request.k))


def popular_recipes(snapshot: Snapshot, _: object) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes."""
    return (Candidate(recipe, POPULAR) for recipe in snapshot.recipes.popular)


def recipes_for_cart(snapshot: Snapshot, request: CartRequest) -> Iterator[Candidate[Recipe]]:
    """The recipes of a page, with the ingredients of the cart that each contains."""
    for position in request.positions:
        recipe = snapshot.recipes.popular[position]
        contained = set(recipe.ingredients)
        yield Candidate(recipe, f"contains:{','.join(name for name in request.ingredients if name in contained)}")


def recipes_by_title(snapshot: Snapshot, request: SearchRequest) -> Iterator[Candidate[Recipe]]:
    """Recipes whose title or dish matches the keyword."""
    found = snapshot.recipes.search(request.keyword, snapshot.knows).items
    return (Candidate(recipe, f"title:{request.keyword}") for recipe in found)


def recipes_by_meaning(snapshot: Snapshot, request: SearchRequest) -> Iterator[Candidate[Recipe]]:
    """Recipes whose title the release's encoder places near the keyword."""
    if snapshot.release:
        for neighbour in snapshot.release.recipes_by_text(request.keyword, request.k):
            if neighbour.score >= LEAST_COSINE:
                yield from _recipe(snapshot, neighbour.recipe_id, neighbour.reason)


def products_by_title(snapshot: Snapshot, request: SearchRequest) -> Iterator[Candidate[Offer]]:
    """Products whose title matches the keyword: at most half of them in shows, the others in the mall."""
    reason = f"title:{request.keyword}"
    shows = snapshot.schedule.search(request.keyword, snapshot.knows, request.now).items
    yield from (Candidate(show, reason) for show in shows[: max(1, request.k // 2)])
    yield from (Candidate(item, reason) for item in snapshot.kok.search(request.keyword, snapshot.knows).items)


def similar_mall_products(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[KokItem]]:
    """Neighbours of the product in the release that the mall still lists."""
    return _listed_neighbours(snapshot, request.product, request.k)


def mall_products_with_ingredients(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[KokItem]]:
    """Mall products of any of the ingredients, of the main one first."""
    by_ingredient = snapshot.kok.by_ingredient
    return _one_per_item(
        Candidate(item, f"contains:{name}") for name in request.ingredients for item in by_ingredient.get(name, ())
    )


def popular_mall_products(snapshot: Snapshot, _: object) -> Iterator[Candidate[KokItem]]:
    """The most reviewed mall products."""
    return (Candidate(item, POPULAR) for item in snapshot.kok.by_reviews)


def popular_mall_products_for_food(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[KokItem]]:
    """The most reviewed mall products, for a product that is food."""
    return popular_mall_products(snapshot, request) if request.product.is_food else iter(())


def other_similar_mall_products(snapshot: Snapshot, request: MallItemRequest) -> Iterator[Candidate[KokItem]]:
    """Neighbours of a mall product in the release, without other listings of the same item."""
    return _others(request.item, _listed_neighbours(snapshot, request.item, NEIGHBOURS))


def other_mall_products_with_ingredients(snapshot: Snapshot, request: MallItemRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products of the same ingredients, without other listings of the same item."""
    return _others(request.item, mall_products_with_ingredients(snapshot, ProductRequest(request.item, request.k)))


def other_popular_mall_products(snapshot: Snapshot, request: MallItemRequest) -> Iterator[Candidate[KokItem]]:
    """The most reviewed mall products, without other listings of the same item."""
    return _others(request.item, popular_mall_products(snapshot, request))


def shows_of_similar_products(snapshot: Snapshot, request: ProductShowsRequest) -> Iterator[Candidate[Show]]:
    """Shows of the product's neighbours in the release, the most similar first."""
    neighbours = (
        snapshot.release.similar_products(request.product.ref, "home_shopping", NEIGHBOURS) if snapshot.release else ()
    )
    products = ((snapshot.schedule.product_by_ref(n.product), n.reason) for n in neighbours)
    return _next_shows(snapshot, (Candidate(product, reason) for product, reason in products if product), request.now)


def shows_of_similar_products_by_start(snapshot: Snapshot, request: ProductShowsRequest) -> Iterator[Candidate[Show]]:
    """Shows of the product's neighbours in the release, in order of their start."""
    return _by_start(shows_of_similar_products(snapshot, request))


def shows_with_ingredients(snapshot: Snapshot, request: ProductShowsRequest) -> Iterator[Candidate[Show]]:
    """Shows of other products with any of the ingredients, in order of their start."""
    products = (
        Candidate(product, f"contains:{name}")
        for name in request.ingredients
        for product in snapshot.schedule.by_ingredient.get(name, ())
        if product.ref != request.product.ref
    )
    return _by_start(_next_shows(snapshot, products, request.now))


def other_shows_on_air_or_next(snapshot: Snapshot, request: ProductShowsRequest) -> Iterator[Candidate[Show]]:
    """Food on air or next, without the product itself."""
    shows = shows_on_air_or_next(snapshot, PopularShowsRequest(request.k, request.now))
    return (candidate for candidate in shows if candidate.item.product.ref != request.product.ref)


def shows_on_air_or_next(snapshot: Snapshot, request: PopularShowsRequest) -> Iterator[Candidate[Show]]:
    """Food on air or next within the days that the schedule covers, each item once."""
    today = kst_day(request.now)
    shows = snapshot.schedule.food_between(today - timedelta(days=1), today + DAYS_AHEAD)
    return _one_per_item(Candidate(show, POPULAR) for show in shows if show.ends_at > request.now)


def popular_offers(snapshot: Snapshot, request: PopularShowsRequest) -> Iterator[Candidate[Offer]]:
    """Food on air or next for half of the places, then the most reviewed mall products."""
    yield from islice(shows_on_air_or_next(snapshot, request), request.k // 2)
    yield from popular_mall_products(snapshot, request)


def neighbours_of_recipe(snapshot: Snapshot, request: RecipeRequest) -> Iterator[Candidate[Offer]]:
    """Neighbours of the recipe in the release that can be bought now."""
    if snapshot.release:
        for neighbour in snapshot.release.recipe_products(request.recipe.recipe_id, NEIGHBOURS):
            if neighbour.product.source == KOK:
                item = snapshot.kok.items.get(neighbour.product.product_id)
                if item and item.listed:
                    yield Candidate(item, neighbour.reason)
            elif product := snapshot.schedule.product_by_ref(neighbour.product):
                show = snapshot.schedule.next_show(product, request.now)
                if show:
                    yield Candidate(show, neighbour.reason)


def mall_product_per_ingredient(snapshot: Snapshot, request: RecipeRequest) -> Iterator[Candidate[Offer]]:
    """The best mall product of each ingredient of the recipe."""
    for name in request.recipe.ingredients:
        for item in snapshot.kok.by_ingredient.get(name, ())[:1]:
            yield Candidate(item, f"contains:{name}")


def shows_with_ingredient(snapshot: Snapshot, request: IngredientShowsRequest) -> Iterator[Candidate[Show]]:
    """Shows of an ingredient, in order of their start."""
    name = snapshot.recipes.name_of(request.ingredient)
    shows = snapshot.schedule.with_ingredient(name, request.now)
    return _one_per_item(Candidate(show, f"contains:{name}") for show in shows)


def mall_products_with_ingredient(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products that were resolved to an ingredient."""
    name = snapshot.recipes.name_of(request.ingredient)
    return mall_products_with_ingredients(snapshot, IngredientsRequest((name,), request.k))


def mall_products_named(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products whose name says that they are an ingredient."""
    spellings = dict.fromkeys((snapshot.recipes.name_of(request.ingredient), " ".join(request.ingredient.split())))
    return _one_per_item(
        Candidate(item, f"title:{spelling}") for spelling in spellings for item in snapshot.kok.named(spelling)
    )


def substitutes(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[str]]:
    """Ingredients that recipes use alike, with the cosine of their vectors."""
    if snapshot.release:
        for name, cosine in snapshot.release.substitutes(request.ingredient, request.k):
            yield Candidate(name, SIMILAR, cosine)


def _recipe(snapshot: Snapshot, recipe_id: int, reason: str) -> Iterator[Candidate[Recipe]]:
    """The recipe of an id, unless it is no longer in the database."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe:
        yield Candidate(recipe, reason)


def _listed_neighbours(snapshot: Snapshot, product: KokItem | Product, k: int) -> Iterator[Candidate[KokItem]]:
    neighbours = snapshot.release.similar_products(product.ref, KOK, k) if snapshot.release else ()
    items = ((snapshot.kok.items.get(n.product.product_id), n.reason) for n in neighbours)
    return _one_per_item(Candidate(item, reason) for item, reason in items if item and item.listed)


def _next_shows(snapshot: Snapshot, products: Iterable[Candidate[Product]], now: datetime) -> Iterator[Candidate[Show]]:
    """The show of each product that is on air, else its next one."""
    shows = ((snapshot.schedule.next_show(candidate.item, now), candidate.reason) for candidate in products)
    return _one_per_item(Candidate(show, reason) for show, reason in shows if show)


def _by_start(shows: Iterable[Candidate[Show]]) -> Iterator[Candidate[Show]]:
    return iter(sorted(shows, key=lambda candidate: (candidate.item.starts_at, candidate.item.live_id)))


def _others(item: KokItem, candidates: Iterable[Candidate[KokItem]]) -> Iterator[Candidate[KokItem]]:
    """Leave out the listings of an item."""
    return (candidate for candidate in candidates if _item_key(candidate.item) != _item_key(item))


def _one_per_item(candidates: Iterable[Candidate[OfferT]]) -> Iterator[Candidate[OfferT]]:
    """Keep the first offer of each item."""
    seen: set[object] = set()
    for candidate in candidates:
        key = _item_key(candidate.item)
        if key not in seen:
            seen.add(key)
            yield candidate


def _item_key(offer: Offer) -> object:
    """What listings of the same item share; a listing that has not been linked is an item of its own."""
    listing = offer.product if isinstance(offer, Show) else offer
    return listing.item_id or listing.ref
