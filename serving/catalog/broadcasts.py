"""Broadcasts and their products in memory; :mod:`serving.catalog.load_schedule` reads them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from recommender.product_ref import ProductRef
from recommender.relations.facts import ProductFacts
from recommender.search.index import Knows, SearchIndex
from serving.catalog.search import Found, empty_index
from serving.web.fragments import Fragments

# How many days after today the schedule covers.
DAYS_AHEAD = timedelta(days=10)


class Station(NamedTuple):
    """A channel as the frontend shows it."""

    channel_id: int
    name: str
    number: int


class Product(NamedTuple):
    """A product sold in broadcasts. Listings of the same item, also those of the mall, share an ``item_id``.

    ``facts``: what its title was understood as.
    """

    ref: ProductRef
    name: str
    store: str | None
    thumbnail: str
    is_food: bool
    is_ingredient: bool
    ingredients: tuple[str, ...]
    list_price: int | None
    price: int | None
    price_kind: str
    discount_rate: int | None
    item_id: str | None
    facts: ProductFacts


class PageParts(NamedTuple):
    """What a product page shows besides name and price: (name, value) rows of details, and description images."""

    details: tuple[tuple[str, str], ...]
    images: tuple[str, ...]


class Show(NamedTuple):
    """A product in a scheduled show; ``day``, ``start_time`` and ``end_time`` are Korean time, as in responses."""

    live_id: int
    station: Station
    product: Product
    starts_at: datetime
    ends_at: datetime
    day: date
    start_time: str
    end_time: str
    slot: str
    title: str | None
    list_price: int | None
    price: int | None
    price_kind: str
    discount_rate: int | None


@dataclass(frozen=True, slots=True)
class Programme:
    """The shows of a channel by start; products that start together are one show, main products first."""

    station: Station
    starts: tuple[datetime, ...] = ()
    shows: tuple[tuple[Show, ...], ...] = ()

    def at(self, now: datetime) -> tuple[tuple[Show, ...] | None, tuple[Show, ...] | None]:
        """The show on air and the next one, None where there is none. A show's end is exclusive.

        Of overlapping shows, the one that started last is on air.
        """
        following = bisect_right(self.starts, now)
        on_air = next((shows for shows in reversed(self.shows[:following]) if _ends_at(shows) > now), None)
        return on_air, self.shows[following] if following < len(self.shows) else None

    def next_change(self, now: datetime) -> datetime | None:
        """The instant from which :meth:`at` answers differently; None when it never does."""
        on_air, following = self.at(now)
        changes = [_ends_at(on_air)] if on_air else []
        changes += [following[0].starts_at] if following else []
        return min(changes, default=None)


@dataclass(frozen=True)
class Schedule:
    """Shows that are not cancelled, in order of their start, and the lookups that routes need.

    ``newest_by_id`` maps an id without its source to the product of the newest broadcast.
    """

    by_day: dict[date, tuple[Show, ...]] = field(default_factory=dict)
    by_live_id: dict[int, Show] = field(default_factory=dict)
    by_product: dict[ProductRef, tuple[Show, ...]] = field(default_factory=dict)
    newest_by_id: dict[int, Product] = field(default_factory=dict)
    by_ingredient: dict[str, tuple[Product, ...]] = field(default_factory=dict)
    programmes: tuple[Programme, ...] = ()
    searchable: tuple[Product, ...] = ()
    index: SearchIndex = field(default_factory=lambda: empty_index("products"))
    pages: dict[ProductRef, PageParts] = field(default_factory=dict)
    fragments: Fragments = field(default_factory=dict)

    def page_of(self, product: Product) -> PageParts:
        """The parts of a product page, empty until the page has been crawled."""
        return self.pages.get(product.ref, PageParts((), ()))

    def product_by_id(self, product_id: int) -> Product | None:
        """A product by its source's id or by the id of a show, which the frontend sometimes sends."""
        product = self.newest_by_id.get(product_id)
        show = None if product else self.by_live_id.get(product_id)
        return show.product if show else product

    def product_by_ref(self, ref: ProductRef) -> Product | None:
        """The product of a ref; None when it is in no show of the schedule."""
        shows = self.by_product.get(ref)
        return shows[-1].product if shows else None

    def food_between(self, first: date, last: date) -> Iterator[Show]:
        """Food shows of the days ``first`` to ``last``, both included, in order."""
        for offset in range((last - first).days + 1):
            yield from (show for show in self.by_day.get(first + timedelta(offset), ()) if show.product.is_food)

    def next_show(self, product: Product, now: datetime) -> Show | None:
        """The show of a product that is on air, else its next one."""
        shows = self.by_product.get(product.ref, ())
        return next((show for show in shows if show.ends_at > now), None)

    def search(self, keyword: str, knows: Knows, now: datetime) -> Found[Show]:
        """The current or next show of each product that matches: on air first, then in order of their start."""
        answer = self.index.find(keyword, knows)
        shows = self._by_start((self.searchable[position] for position in answer.positions), now)
        return Found(shows, answer.did_you_mean if shows else None)

    def with_ingredient(self, name: str, now: datetime) -> list[Show]:
        """The current or next show of each food product made of an ingredient, in order of their start."""
        return self._by_start(self.by_ingredient.get(name, ()), now)

    def _by_start(self, products: Iterable[Product], now: datetime) -> list[Show]:
        shows = (self.next_show(product, now) for product in products)
        return sorted((show for show in shows if show), key=lambda show: (show.starts_at, show.live_id))


def _ends_at(shows: tuple[Show, ...]) -> datetime:
    """The instant at which the last product of a show ends."""
    return max(show.ends_at for show in shows)
