"""What the stand-in shows at one moment; :mod:`crawlers.standin.pages` renders it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from crawlers.standin.catalog import Catalog, KokRow, ShowRow
from crawlers.standin.schedules import HMALL_CHANNELS, NSMALL_CHANNELS, Slot, slots_by_day

PAGE_SIZE = 20
CHANNELS = {
    "hnsmall": frozenset({1}),
    "hmall": frozenset(HMALL_CHANNELS.values()),
    "nsmall": frozenset(NSMALL_CHANNELS.values()),
}


class Content(Protocol):
    """Shows and products of the sources; a product that is not there is None."""

    def slots(self, channel_id: int, day: date) -> Sequence[Slot]:
        """Return the shows on the page of a channel's day, ordered by start."""

    def category(self, code: str, page: int) -> Sequence[KokRow]:
        """Return the products on a page of a category list."""

    def strip(self, code: str, page: int) -> str | None:
        """Return the id on the strip of a category list that is no card; None if the page has no strip."""

    def kok_product(self, product_id: int) -> KokRow | None:
        """Return a product of the mall."""

    def broadcast_product(self, source: str, product_id: int) -> ShowRow | None:
        """Return a product of a broadcaster."""


class CatalogContent:
    """Content of a catalog. ``channels``: those of each broadcaster.

    The price of a broadcaster's product is that of its first row in the catalog. Raise ``ValueError`` if a show of the
    catalog has not exactly one main product.
    """

    def __init__(self, catalog: Catalog, channels: Mapping[str, Collection[int]] = CHANNELS) -> None:
        self._schedules = slots_by_day(catalog.shows)
        self._products = {product.product_id: product for product in catalog.kok}
        self._categories: dict[str, list[KokRow]] = defaultdict(list)
        for product in catalog.kok:
            self._categories[product.category].append(product)
        self._broadcast_products: dict[str, dict[int, ShowRow]] = {
            source: {show.product_id: show for show in reversed(catalog.shows) if show.channel_id in own}
            for source, own in channels.items()
        }

    def slots(self, channel_id: int, day: date) -> Sequence[Slot]:
        return self._schedules.get((channel_id, day), [])

    def category(self, code: str, page: int) -> Sequence[KokRow]:
        return self._categories.get(code, [])[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]

    def strip(self, code: str, page: int) -> str | None:
        return str(self._categories[code][-1].product_id) if self.category(code, page) else None

    def kok_product(self, product_id: int) -> KokRow | None:
        return self._products.get(product_id)

    def broadcast_product(self, source: str, product_id: int) -> ShowRow | None:
        return self._broadcast_products[source].get(product_id)
