"""Generators of products of the mall and in shows, which are offered only while they are on air or to come.

Each yields candidates for one kind of request, lazily and best first.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from recommender.product_ref import KOK
from recommender.relations.facts import asked_ingredient
from recommender.text import lexicon
from serving.catalog.broadcasts import DAYS_AHEAD, Product, Show
from serving.catalog.mall import KokItem
from serving.recommendations.offers import Offer, item_key, one_per_item
from serving.recommendations.requests import (
    HasIngredients,
    IngredientRequest,
    IngredientShowsRequest,
    IngredientsRequest,
    MallItemRequest,
    PopularRequest,
    ProductRequest,
    ProductShowsRequest,
    RecipeRequest,
    SearchRequest,
)
from serving.recommendations.stages import NEIGHBOURS, POPULAR, SEASON, Candidate, alternating
from serving.runtime.snapshot import Snapshot
from serving.web.clock import kst_day

if TYPE_CHECKING:
    # Imports faiss and onnxruntime, which a service without a release does not need.
    from recommender.loaded_release import ProductNeighbour
    from recommender.relations.offered_products import Target


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
    return alternating((Candidate(item, POPULAR) for item in popular), seasonal, item_key)


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


def _similar(snapshot: Snapshot, product: KokItem | Product, target: "Target") -> "Sequence[ProductNeighbour]":
    """Similar products of the release; the same ranker answers for a product that is new since."""
    if not snapshot.release:
        return ()
    if product.ref in snapshot.release:
        return snapshot.release.similar_products(product.ref, target, NEIGHBOURS)
    return snapshot.release.similar_to_new(product.facts, target, NEIGHBOURS)


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
