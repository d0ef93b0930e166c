"""Shows and products of the broadcasters that the databases may hold, after every crawl so far.

A row may have several possible states while a fault hides which one a crawl has seen: a load may take what it could
read from a disturbed page, or leave everything as it was, but it must write nothing that is not true.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from crawlers.standin.living.products import BroadcastProduct
from crawlers.standin.living.world import World
from tests.month.scopes import CHANNELS, Injection, Scope, scopes_of
from ukok.korea import KST

ShowKey = tuple[int, datetime, int]  # channel, start, product
ProductKey = tuple[str, int]  # source, product


class ShowState(NamedTuple):
    """A stored product of a show."""

    ends_at: datetime
    slot: str
    title: str | None
    price: int | None
    list_price: int | None
    price_kind: str
    discount_rate: int | None  # of 홈앤쇼핑, whose schedule gives it
    cancelled: bool = False


class ProductState(NamedTuple):
    """A stored product; the list price of 홈앤쇼핑, which only product pages show, is left out."""

    name: str
    price: int | None
    list_price: int | None
    price_kind: str


@dataclass
class ExpectedShows:
    """Possible states by key; None means that there is no row."""

    world: World
    shows: dict[ShowKey, set[ShowState | None]] = field(default_factory=dict)
    products: dict[ProductKey, set[ProductState | None]] = field(default_factory=dict)
    _listings: dict[ProductKey, list[tuple[ShowKey, Injection | None]]] = field(default_factory=dict)
    _ever_true: dict[ProductKey, set[ProductState | None]] = field(default_factory=lambda: defaultdict(lambda: {None}))
    _of_scope: dict[Scope, set[ShowKey]] = field(default_factory=lambda: defaultdict(set))

    def observe(self, source: str, at: datetime, disturbed: Mapping[Scope, Injection]) -> None:
        """Take in what the source shows at an instant."""
        for scope in scopes_of(source, at):
            listed = dict(self._listed(scope, at))
            injection = disturbed.get(scope)
            for key, state in listed.items():
                self.shows[key] = self._seen(key, state, at, injection)
            for key in self._of_scope[scope] - listed.keys():
                if key[1] > at:
                    self.shows[key] = _missed(self.shows[key], certain=injection is None)
            self._of_scope[scope] |= listed.keys()
        self._observe_products(source, at, disturbed)

    def _listed(self, scope: Scope, at: datetime) -> Iterator[tuple[ShowKey, ShowState]]:
        channel = int(scope.part)
        assert scope.day
        for airing in self.world.listed(channel, scope.day, at):
            for each in self.world.products_of(channel, airing, at):
                _, price, list_price, kind = _product_state(channel, each.product)
                slot = "main" if each.main else "sub"
                rate = each.product.rate if channel == 1 else None
                state = ShowState(airing.ends_at, slot, airing.title, price, list_price, kind, rate)
                yield (channel, airing.starts_at, each.product.number), state

    def _seen(self, key: ShowKey, state: ShowState, at: datetime, injection: Injection | None) -> set[ShowState | None]:
        old = self.shows.get(key, {None})
        hidden = key[0] == 1 and key[1] <= at and None in old  # the page of 홈앤쇼핑 hides the start of the show on air
        if injection is None and not hidden:
            return {state}
        unpriced = injection is not None and injection.hides_prices and None in old
        possible = old | {state}
        return possible | {state._replace(price=None, list_price=None, price_kind="unknown")} if unpriced else possible

    def _observe_products(self, source: str, at: datetime, disturbed: Mapping[Scope, Injection]) -> None:
        """Take in the products of the shows that are listed; one sound row of a product suffices."""
        listings: dict[ProductKey, list[tuple[ShowKey, Injection | None]]] = defaultdict(list)
        states: dict[ProductKey, ProductState] = {}
        for scope in scopes_of(source, at):
            for show, _ in self._listed(scope, at):
                key = (source, show[2])
                listings[key].append((show, disturbed.get(scope)))
                states[key] = _product_state(show[0], self.world.schedules[show[0]].products.at(show[2], at))
        for key, state in states.items():
            old = self.products.get(key, {None})
            self._listings[key] = listings[key]
            self._ever_true[key].add(state)
            certain = any(injection is None and None not in self.shows[show] for show, injection in listings[key])
            self.products[key] = {state} if certain else old | {state}
            if None in old and any(injection and injection.hides_prices for _, injection in listings[key]):
                self.products[key].add(state._replace(price=None, list_price=None, price_kind="unknown"))

    def disturbed_scope(self, key: ProductKey, found: ProductState | None) -> Scope | None:
        """Return the disturbed scope that a wrong row of a product comes from; None if the row is just out of date."""
        if found in self._ever_true[key]:
            return None
        return next((scope_of(show) for show, injection in self._listings.get(key, ()) if injection), None)


def source_of(channel_id: int) -> str:
    """Return the source of a channel."""
    return next(source for source, channels in CHANNELS.items() if channel_id in channels)


def scope_of(key: ShowKey) -> Scope:
    """Return the scope that a show belongs to: the day in Korea on which it begins."""
    return Scope(source_of(key[0]), str(key[0]), key[1].astimezone(KST).date())


def _missed(old: set[ShowState | None], *, certain: bool) -> set[ShowState | None]:
    """Return the states of a show to come that a page no longer lists."""
    cancelled = {state and state._replace(cancelled=True) for state in old}
    return cancelled if certain else old | cancelled


def _product_state(channel_id: int, product: BroadcastProduct) -> ProductState:
    if product.price is None:
        return ProductState(product.name, None, None, "consult" if channel_id == 1 else "unknown")
    return ProductState(product.name, product.price, None if channel_id == 1 else product.list_price, "amount")
