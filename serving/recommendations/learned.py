"""What the personal model of a release suggests to a user, as offers that can be had now."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from math import floor
from typing import TYPE_CHECKING, TypeVar

from recommender.product_ref import KOK, ProductRef
from recommender.rankers.taken import Taken
from serving.catalog.broadcasts import Show
from serving.recommendations.offers import Offer, find_product, item_key
from serving.recommendations.recently_viewed import View
from serving.recommendations.stages import POPULAR, RecommendedItem, Stage
from serving.runtime.snapshot import Snapshot

if TYPE_CHECKING:
    from recommender.rankers.personal import PersonalModel

T = TypeVar("T")

# Before the name of what was viewed; alone where that is not in the catalog.
VIEWED = "viewed"


def taken_by(views: Sequence[View]) -> list[Taken]:
    """The products among views, newest first."""
    return [Taken(view.ref, view.at.timestamp()) for view in views if isinstance(view.ref, ProductRef)]


def learned_offers(
    snapshot: Snapshot, model: "PersonalModel", history: Sequence[Taken], now: datetime
) -> Iterator[RecommendedItem[Offer]]:
    """Food of the model that is listed, on air or to come, best first; what is only popular says so."""
    for suggestion in model.suggest(history, now.timestamp()):
        offer = _offer(snapshot, suggestion.product, now)
        if offer is None:
            continue
        if suggestion.popular_only:
            yield RecommendedItem(offer, POPULAR, Stage.POPULAR)
        else:
            because = model.because(history, suggestion.product, now.timestamp())
            yield RecommendedItem(offer, _reason(snapshot, because), Stage.RELEASE)


def seen_items(snapshot: Snapshot, history: Iterable[Taken]) -> frozenset[object]:
    """What the listings of the things in a history share with other listings of the same item."""
    found = ((taken.product, find_product(snapshot, taken.product)) for taken in history)
    return frozenset(product.item_id or ref if product else ref for ref, product in found)


def unseen(items: Iterable[RecommendedItem[Offer]], seen: AbstractSet[object]) -> Iterator[RecommendedItem[Offer]]:
    """Leave out what was seen, and all but the first listing of an item."""
    shown = set(seen)
    for entry in items:
        key = item_key(entry.item)
        if key not in shown:
            shown.add(key)
            yield entry


def mixed(most: Iterable[T], others: Iterable[T], share: float) -> Iterator[T]:
    """Both in their order, with a ``share`` of the places, evenly spread, for the ``others``; a rest follows."""
    queues = (iter(most), iter(others))
    place = 0
    while True:
        turn = floor((place + 1) * share) > floor(place * share)
        entry = next(queues[turn], None)
        if entry is None:
            yield from queues[not turn]
            return
        yield entry
        place += 1


def _offer(snapshot: Snapshot, ref: ProductRef, now: datetime) -> Offer | None:
    product = find_product(snapshot, ref)
    if product is None or not product.is_food:
        return None
    if ref.source == KOK:
        item = snapshot.kok.items[ref.product_id]
        return item if item.listed else None
    found = snapshot.schedule.product_by_ref(ref)
    show: Show | None = snapshot.schedule.next_show(found, now) if found else None
    return show


def _reason(snapshot: Snapshot, ref: ProductRef | None) -> str:
    """The name of what was viewed, or that something was which is no longer in the catalog."""
    product = find_product(snapshot, ref) if ref else None
    return f"{VIEWED}:{product.name}" if product else VIEWED
