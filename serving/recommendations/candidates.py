"""Candidate generators: each yields items for one kind of request, lazily and best first.

:mod:`serving.recommendations.relations` says which generators answer what, and in which order. Shows are offered only
while they are on air or to come.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Protocol, TypeVar

from recommender.models.neighbours import SIMILAR
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.substitute import Relation as SubstituteRelation
from recommender.rankers.substitute import Substitute
from recommender.relations.facts import SHOW_RECIPES, asked_ingredient
from recommender.text import lexicon
from serving.catalog.broadcasts import DAYS_AHEAD, Product, Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations.asked_ingredients import AskedIngredient
from serving.recommendations.stages import Candidate
from serving.runtime.snapshot import Snapshot
from serving.web.clock import kst_day

if TYPE_CHECKING:
    # Imports faiss and onnxruntime, which a service without a release does not need.
    from recommender.loaded_release import ProductNeighbour
    from recommender.relations.offered_products import Target

Offer = KokItem | Show
OfferT = TypeVar("OfferT", KokItem, Show)
T = TypeVar("T")

POPULAR = "popular"
# Before the ingredient in season.
SEASON = "season:"
# Other names and kinds of an ingredient among its substitutes: beef has twenty.
MOST_SAME = 5
# Neighbours of a product or recipe in a release.
NEIGHBOURS = 20
# Recipes that are counted for what is used together, where no release answers.
COUNTED_RECIPES = 200
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
    """What stands for one ingredient."""

    ingredient: AskedIngredient
    k: int


@dataclass(frozen=True, slots=True)
class IngredientShowsRequest(IngredientRequest):
    """Which shows, on air or to come at ``now``, sell an ingredient."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ComplementsRequest:
    """What goes with some ingredients, in a dish of this title, if it has one.

    ``given`` maps the canonical name of each to its name in reasons: that by which it was asked for.
    """

    given: Mapping[str, str]
    title: str
    k: int

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Canonical names of the ingredients."""
        return tuple(self.given)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a text finds at ``now``."""

    keyword: str
    k: int
    now: datetime


@dataclass(frozen=True, slots=True)
class PopularRequest:
    """What is popular at ``now``: in season, and of shows those on air or to come."""

    k: int
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
    """Recipes that the release ranks for the product; the same ranker answers for one that is new since."""
    if snapshot.release:
        product = request.product
        if product.ref in snapshot.release:
            neighbours = snapshot.release.product_recipes(product.ref, NEIGHBOURS)
        else:
            neighbours = snapshot.release.recipes_for_new(product.facts, NEIGHBOURS)
        for neighbour in neighbours:
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


def recipes_with_all_product_ingredients(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes with all ingredients of a product that somebody cooks with."""
    return recipes_with_all_ingredients(snapshot, request) if _is_cooked_with(request) else iter(())


def recipes_with_main_product_ingredient(snapshot: Snapshot, request: ProductRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes with the first ingredient of a product that somebody cooks with."""
    return recipes_with_main_ingredient(snapshot, request) if _is_cooked_with(request) else iter(())


def popular_recipes(snapshot: Snapshot, request: PopularRequest) -> Iterator[Candidate[Recipe]]:
    """The most popular recipes, and in every other place one of an ingredient in season."""
    popular = (Candidate(recipe, POPULAR) for recipe in snapshot.recipes.popular)
    seasonal = (
        Candidate(recipe, f"{SEASON}{name}")
        for name in lexicon.in_season(kst_day(request.now).month)
        for recipe in snapshot.recipes.with_all((name,), 1)
    )
    return _alternating(popular, seasonal, lambda recipe: recipe.recipe_id)


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
    return _listed_neighbours(snapshot, request.product)


def mall_products_with_ingredients(snapshot: Snapshot, request: HasIngredients) -> Iterator[Candidate[KokItem]]:
    """Mall products of any of the ingredients, of the main one first."""
    by_ingredient = snapshot.kok.by_ingredient
    return one_per_item(
        Candidate(item, f"contains:{name}") for name in request.ingredients for item in by_ingredient.get(name, ())
    )


def popular_mall_products(snapshot: Snapshot, request: PopularRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products that people have taken lately, then the most reviewed; every other one an ingredient in season."""
    catalog = snapshot.kok
    model = snapshot.release.personal if snapshot.release else None
    lately = (catalog.items.get(ref.product_id) for ref in model.popular() if ref.source == KOK) if model else ()
    popular = chain((item for item in lately if item and item.listed), catalog.by_reviews)
    seasonal = (
        Candidate(item, f"{SEASON}{name}")
        for name in lexicon.in_season(kst_day(request.now).month)
        for item in [item for item in catalog.by_ingredient.get(name, ()) if item.is_ingredient][:1]
    )
    return _alternating((Candidate(item, POPULAR) for item in popular), seasonal, item_key)


def other_similar_mall_products(snapshot: Snapshot, request: MallItemRequest) -> Iterator[Candidate[KokItem]]:
    """Neighbours of a mall product in the release, without other listings of the same item."""
    return _others(request.item, _listed_neighbours(snapshot, request.item))


def other_mall_products_with_ingredients(snapshot: Snapshot, request: MallItemRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products of the same ingredients, without other listings of the same item."""
    return _others(request.item, mall_products_with_ingredients(snapshot, ProductRequest(request.item, request.k)))


def shows_of_similar_products(snapshot: Snapshot, request: ProductShowsRequest) -> Iterator[Candidate[Show]]:
    """Shows of the product's neighbours in the release, the most similar first."""
    neighbours = _similar(snapshot, request.product, "home_shopping")
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


def shows_on_air_or_next(snapshot: Snapshot, request: PopularRequest) -> Iterator[Candidate[Show]]:
    """Food on air or next within the days that the schedule covers, each item once."""
    today = kst_day(request.now)
    shows = snapshot.schedule.food_between(today - timedelta(days=1), today + DAYS_AHEAD)
    return one_per_item(Candidate(show, POPULAR) for show in shows if show.ends_at > request.now)


def popular_offers(snapshot: Snapshot, request: PopularRequest) -> Iterator[Candidate[Offer]]:
    """Food on air or next for half of the places, then popular mall products."""
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
    name = request.ingredient.name
    shows = snapshot.schedule.with_ingredient(name, request.now)
    return one_per_item(Candidate(show, f"contains:{name}") for show in shows)


def mall_products_for_ingredient(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products that the release ranks for an ingredient, as it was written."""
    if snapshot.release:
        asked = asked_ingredient(request.ingredient.name, request.ingredient.text)
        found = snapshot.release.ingredient_products(asked, NEIGHBOURS)
        items = ((snapshot.kok.items.get(n.product.product_id), n.reason) for n in found)
        yield from one_per_item(Candidate(item, reason) for item, reason in items if item and item.listed)


def mall_products_with_ingredient(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products that were resolved to an ingredient."""
    return mall_products_with_ingredients(snapshot, IngredientsRequest((request.ingredient.name,), request.k))


def mall_products_named(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[KokItem]]:
    """Mall products whose name says that they are an ingredient."""
    spellings = dict.fromkeys((request.ingredient.name, " ".join(request.ingredient.text.split())))
    return one_per_item(
        Candidate(item, f"title:{spelling}") for spelling in spellings for item in snapshot.kok.named(spelling)
    )


def substitutes(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[Substitute]]:
    """Ingredients that a cook would accept instead, with the probability of it: some of the same, then others."""
    if snapshot.release:
        asked, release = request.ingredient, snapshot.release
        same = 0
        for each in release.substitutes(asked.text, NEIGHBOURS) or release.substitutes(asked.name, NEIGHBOURS):
            same += each.relation is not SubstituteRelation.SUBSTITUTE
            if each.relation is SubstituteRelation.SUBSTITUTE or same <= MOST_SAME:
                yield Candidate(each, SIMILAR, each.score)


def complements(snapshot: Snapshot, request: ComplementsRequest) -> Iterator[Candidate[str]]:
    """Ingredients that complete a recipe with the given ones, by the release's blend."""
    known = snapshot.release.completed_ingredients & set(request.ingredients) if snapshot.release else ()
    if snapshot.release and (known or request.title):
        by_title = snapshot.release.title_weights(request.title) if request.title else {}
        for name, score in snapshot.release.complete(request.ingredients, request.k, request.title):
            partner, weight = snapshot.release.closest_partner(name, request.ingredients) or (None, 0.0)
            if by_title.get(name, 0.0) > weight:
                reason = f"title:{request.title}"
            else:
                reason = f"with:{request.given[partner]}" if partner else POPULAR
            yield Candidate(name, reason, score)


def ingredients_used_together(snapshot: Snapshot, request: ComplementsRequest) -> Iterator[Candidate[str]]:
    """Ingredients of the most popular recipes that contain every given one, the most frequent first."""
    recipes = snapshot.recipes.with_all(request.ingredients, COUNTED_RECIPES)
    counts = Counter(name for recipe in recipes for name in recipe.ingredients if name not in request.ingredients)
    reason = f"with:{','.join(request.given.values())}"
    return (Candidate(name, reason) for name in sorted(counts, key=lambda name: (-counts[name], name)))


def _is_cooked_with(request: ProductRequest) -> bool:
    return request.product.facts.recipes >= SHOW_RECIPES


def _similar(snapshot: Snapshot, product: KokItem | Product, target: "Target") -> "Sequence[ProductNeighbour]":
    """Similar products of the release; the same ranker answers for a product that is new since."""
    if not snapshot.release:
        return ()
    if product.ref in snapshot.release:
        return snapshot.release.similar_products(product.ref, target, NEIGHBOURS)
    return snapshot.release.similar_to_new(product.facts, target, NEIGHBOURS)


def _recipe(snapshot: Snapshot, recipe_id: int, reason: str) -> Iterator[Candidate[Recipe]]:
    """The recipe of an id, unless it is no longer in the database."""
    recipe = snapshot.recipes.recipes.get(recipe_id)
    if recipe:
        yield Candidate(recipe, reason)


def _listed_neighbours(snapshot: Snapshot, product: KokItem | Product) -> Iterator[Candidate[KokItem]]:
    items = ((snapshot.kok.items.get(n.product.product_id), n.reason) for n in _similar(snapshot, product, KOK))
    return one_per_item(Candidate(item, reason) for item, reason in items if item and item.listed)


def _next_shows(snapshot: Snapshot, products: Iterable[Candidate[Product]], now: datetime) -> Iterator[Candidate[Show]]:
    """The show of each product that is on air, else its next one."""
    shows = ((snapshot.schedule.next_show(candidate.item, now), candidate.reason) for candidate in products)
    return one_per_item(Candidate(show, reason) for show, reason in shows if show)


def _by_start(shows: Iterable[Candidate[Show]]) -> Iterator[Candidate[Show]]:
    return iter(sorted(shows, key=lambda candidate: (candidate.item.starts_at, candidate.item.live_id)))


def _others(item: KokItem, candidates: Iterable[Candidate[KokItem]]) -> Iterator[Candidate[KokItem]]:
    """Leave out the listings of an item."""
    return (candidate for candidate in candidates if item_key(candidate.item) != item_key(item))


def one_per_item(candidates: Iterable[Candidate[OfferT]]) -> Iterator[Candidate[OfferT]]:
    """Keep the first offer of each item."""
    seen: set[object] = set()
    for candidate in candidates:
        key = item_key(candidate.item)
        if key not in seen:
            seen.add(key)
            yield candidate


def item_key(offer: Offer) -> object:
    """What listings of the same item share; a listing that has not been linked is an item of its own."""
    listing = offer.product if isinstance(offer, Show) else offer
    return listing.item_id or listing.ref


def _alternating(
    first: Iterable[Candidate[T]], second: Iterable[Candidate[T]], key_of: Callable[[T], Hashable]
) -> Iterator[Candidate[T]]:
    """The candidates of both in turn, each item once; those of the longer one follow."""
    seen: set[Hashable] = set()
    for candidate in chain.from_iterable(zip_longest(first, second)):
        if candidate is not None and (key := key_of(candidate.item)) not in seen:
            seen.add(key)
            yield candidate
