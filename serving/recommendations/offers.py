"""Products that can be bought: of the mall, and in shows."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from recommender.product_ref import KOK, ProductRef
from serving.catalog.broadcasts import Product, Show
from serving.catalog.mall import KokItem
from serving.recommendations.stages import Candidate
from serving.runtime.snapshot import Snapshot

Offer = KokItem | Show
OfferT = TypeVar("OfferT", KokItem, Show)


def find_product(snapshot: Snapshot, ref: ProductRef) -> KokItem | Product | None:
    """The product of a ref: of the mall, listed or not, or of a broadcaster if it is in the schedule."""
    return snapshot.kok.items.get(ref.product_id) if ref.source == KOK else snapshot.schedule.product_by_ref(ref)


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
