"""Recommendations for a user, from the things that the user viewed last.

Products are those that the personal model of the release suggests; what the model does not know, and recipes, combine
what goes with the last views, of which recent ones weigh more. A user without views gets what is popular, on air and in
season.
"""

from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from recommender.product_ref import ProductRef
from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations.learned import VIEWED, learned_offers, mixed, seen_items, taken_by, unseen
from serving.recommendations.offers import Offer, find_product
from serving.recommendations.recently_viewed import RecipeRef, View, Viewed
from serving.recommendations.relations import (
    POPULAR_PRODUCTS,
    POPULAR_RECIPES,
    POPULAR_SHOWS,
    PRODUCTS_FOR_RECIPE,
    RECIPES_BY_INGREDIENTS,
    RECIPES_FOR_PRODUCT,
    SHOWS_FOR_PRODUCT,
    SIMILAR_SHOWS,
    mall_products_for,
)
from serving.recommendations.requests import (
    IngredientsRequest,
    PopularRequest,
    ProductRequest,
    ProductShowsRequest,
    RecipeRequest,
)
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage, recommend
from serving.runtime.snapshot import Snapshot

if TYPE_CHECKING:
    from recommender.rankers.personal import PersonalModel

T = TypeVar("T")

# Weight of a view relative to the one after it.
DECAY = 0.85
PER_VIEW = 10
# Views that are combined, and how much of what goes with them competes for the places beside the personal model.
COMBINED = 10
MOST_RELATED = 50


class ShowsForViews(NamedTuple):
    """Shows that go with the mall products that a user viewed last.

    ``matched`` are the viewed products with shows of their own, ``by_product`` maps the names of these to their shows,
    and ``shows`` are all of them, each once; without any ``shows`` are the next ones.
    """

    last_viewed: KokItem | None
    matched: tuple[KokItem, ...]
    by_product: dict[str, Recommendation[Show]]
    shows: Recommendation[Show]


@dataclass(slots=True)
class _Score(Generic[T]):
    """The summed score of an item; ``reason`` names the view that added more than all before it."""

    item: T
    total: float
    reason: str
    stage: Stage


class _Ranking(Generic[T]):
    """Items by the sum of what each view adds to them. An item has the ref that ``ref_of`` gives it."""

    def __init__(self, ref_of: Callable[[T], Viewed]) -> None:
        self._ref_of = ref_of
        self._scores: dict[Viewed, _Score[T]] = {}

    def add(
        self, weight: float, viewed_name: str, recommendation: Recommendation[T], without: Container[object] = ()
    ) -> None:
        """Add what goes with a view. What is only popular is left out: it says nothing about the user."""
        if recommendation.stage is None or recommendation.stage is Stage.POPULAR:
            return
        reason = f"{VIEWED}:{viewed_name}"
        for place, entry in enumerate(recommendation.items):
            ref = self._ref_of(entry.item)
            if ref in without:
                continue
            added = weight / (1 + place)
            score = self._scores.setdefault(ref, _Score(entry.item, 0.0, reason, recommendation.stage))
            if added > score.total:
                score.reason = reason
            score.total += added

    def best(self, snapshot: Snapshot, k: int, *, without: Collection[Viewed]) -> Recommendation[T] | None:
        """The ``k`` best items, None if there are none. All count as the release's if any of them is."""
        candidates = [score for ref, score in self._scores.items() if ref not in without]
        if not candidates:
            return None
        ranked = sorted(candidates, key=lambda score: -score.total)[:k]
        stage = Stage.RELEASE if any(score.stage is Stage.RELEASE for score in ranked) else Stage.RESOLVED
        items = tuple(RecommendedItem(score.item, score.reason, stage) for score in ranked)
        return Recommendation(items, stage, snapshot.release_version)


def recommend_recipes(snapshot: Snapshot, views: Sequence[View], k: int, now: datetime) -> Recommendation[Recipe]:
    """Recipes that go with what was viewed, without the viewed recipes themselves."""
    ranking: _Ranking[Recipe] = _Ranking(lambda recipe: RecipeRef(recipe.recipe_id))
    for weight, view in _weighted(views):
        for name, recommendation in _recipes_for_view(snapshot, view.ref):
            ranking.add(weight, name, recommendation)
    best = ranking.best(snapshot, k, without={view.ref for view in views})
    return best or recommend(snapshot, POPULAR_RECIPES, PopularRequest(k, now))


def recommend_products(snapshot: Snapshot, views: Sequence[View], k: int, now: datetime) -> Recommendation[Offer]:
    """Mall products, and shows on air or to come, for a user who viewed these; what was seen is left out."""
    history = taken_by(views)
    model = snapshot.release.personal if snapshot.release else None
    if model and any(taken.product in model.products_known for taken in history):
        return _learned_products(snapshot, model, views, k, now)
    best = _related_products(snapshot, None, views, now).best(snapshot, k, without={view.ref for view in views})
    return best or recommend(snapshot, POPULAR_PRODUCTS, PopularRequest(k, now))


def _learned_products(
    snapshot: Snapshot, model: "PersonalModel", views: Sequence[View], k: int, now: datetime
) -> Recommendation[Offer]:
    """What the model suggests, and what goes with views where the model does not know the view or the product.

    The latter have the share of the places that new products have among what people take, and that of unknown views.
    """
    history, weighted = taken_by(views), list(_weighted(views))
    known = sum(weight for weight, view in weighted if view.ref in model.products_known) / sum(
        weight for weight, _ in weighted
    )
    related = _related_products(snapshot, model, views, now)
    found = related.best(snapshot, MOST_RELATED, without=())
    seen = seen_items(snapshot, history)
    learned = unseen(learned_offers(snapshot, model, history, now), seen)
    entries = mixed(learned, unseen(found.items if found else (), seen), 1 - known * (1 - model.config.new_share))
    items = tuple(islice(unseen(entries, seen), k))
    stages = {entry.stage for entry in items}
    stage = next((stage for stage in (Stage.RELEASE, Stage.RESOLVED, Stage.POPULAR) if stage in stages), None)
    return Recommendation(items, stage, snapshot.release_version)


def _related_products(
    snapshot: Snapshot, model: "PersonalModel | None", views: Sequence[View], now: datetime
) -> "_Ranking[Offer]":
    """What goes with the last views, without the pairs of a view and an offer that the model knows both of."""
    ranking: _Ranking[Offer] = _Ranking(_ref_of)
    for weight, view in _weighted(views):
        known = model.products_known if model and view.ref in model.products_known else frozenset()
        for name, recommendation in _products_for_view(snapshot, view.ref, now):
            ranking.add(weight, name, recommendation, without=known)
    return ranking


def recommend_shows(snapshot: Snapshot, views: Sequence[View], k: int, now: datetime) -> ShowsForViews:
    """Shows, on air or to come, that go with the viewed mall products; the next ones where none do."""
    products = (find_product(snapshot, ref) for view in views[:COMBINED] if isinstance(ref := view.ref, ProductRef))
    items = [product for product in products if isinstance(product, KokItem)]
    found = {item: recommend(snapshot, SHOWS_FOR_PRODUCT, ProductShowsRequest(item, k, now)) for item in items}
    matched = {item: shows for item, shows in found.items() if shows.stage is not Stage.POPULAR}
    by_product = {item.name: shows for item, shows in matched.items()}
    popular = recommend(snapshot, POPULAR_SHOWS, PopularRequest(k, now))
    first = next(iter(matched.values()), popular)
    distinct = {entry.item.live_id: entry for shows in by_product.values() or (popular,) for entry in shows.items}
    everything = Recommendation(tuple(distinct.values())[:k], first.stage, first.release_version)
    return ShowsForViews(items[0] if items else None, tuple(matched), by_product, everything)


def _weighted(views: Sequence[View]) -> Iterator[tuple[float, View]]:
    return ((DECAY**place, view) for place, view in enumerate(views[:COMBINED]))


def _ref_of(offer: Offer) -> Viewed:
    return offer.product.ref if isinstance(offer, Show) else offer.ref


def _recipes_for_view(snapshot: Snapshot, ref: Viewed) -> Iterator[tuple[str, Recommendation[Recipe]]]:
    """Name of what was viewed, and recipes that go with it; nothing for what is no longer in the catalog."""
    if isinstance(ref, RecipeRef):
        recipe = snapshot.recipes.recipes.get(ref.recipe_id)
        if recipe:
            request = IngredientsRequest(recipe.ingredients, PER_VIEW)
            yield recipe.title, recommend(snapshot, RECIPES_BY_INGREDIENTS, request)
    elif product := find_product(snapshot, ref):
        yield product.name, recommend(snapshot, RECIPES_FOR_PRODUCT, ProductRequest(product, PER_VIEW))


def _products_for_view(snapshot: Snapshot, ref: Viewed, now: datetime) -> Iterator[tuple[str, Recommendation[Offer]]]:
    """Name of what was viewed, and products that go with it; nothing for what is no longer in the catalog."""
    if isinstance(ref, RecipeRef):
        recipe = snapshot.recipes.recipes.get(ref.recipe_id)
        if recipe:
            yield recipe.title, recommend(snapshot, PRODUCTS_FOR_RECIPE, RecipeRequest(recipe, PER_VIEW, now))
    elif product := find_product(snapshot, ref):
        yield product.name, recommend(snapshot, SIMILAR_SHOWS, ProductShowsRequest(product, PER_VIEW, now))
        yield product.name, mall_products_for(snapshot, product, PER_VIEW)
