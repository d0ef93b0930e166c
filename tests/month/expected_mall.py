"""Products of the mall that the databases may hold, after every crawl so far; see :mod:`tests.month.expected_shows`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from crawlers.standin.living.mall import MallProduct
from crawlers.standin.living.world import World
from tests.month.scopes import Injection, Scope, scopes_of

Shelf = Literal["no row", "on sale", "vanished"]
CRAWLS_UNTIL_GONE = 3  # the first that no longer lists a product, and two more


class MallPrice(NamedTuple):
    """The newest stored price of a product."""

    price: int
    rate: int


class MallProductState(NamedTuple):
    """A product as its page shows it, which gives a list price only while there is a discount."""

    product_name: str
    category: str | None
    list_price: int | None


@dataclass
class ExpectedMall:
    """Possible prices and content (None: no row) and states of each product."""

    world: World
    prices: dict[int, set[MallPrice | None]] = field(default_factory=dict)
    shelf: dict[int, set[Shelf]] = field(default_factory=dict)
    products: dict[int, set[MallProductState | None]] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    _missing: Counter[int] = field(default_factory=Counter)

    def observe(self, at: datetime, disturbed: Mapping[Scope, Injection]) -> None:
        """Take in what the lists show at an instant."""
        pages_hidden = any(injection.hides_pages for injection in disturbed.values())
        for scope in scopes_of("kok", at):
            certain = scope not in disturbed and self.world.mall.upset(scope.part, at) is None
            listed = {product.number: product for product in self.world.mall.on_sale(scope.part, at)}
            for number, product in listed.items():
                self.products[number] = self._content(product, certain=certain)
                self.categories[number] = scope.part
                price = MallPrice(product.price, product.rate)
                self.prices[number] = {price} if certain else self.prices.get(number, {None}) | {price}
                self._see(number, certain=certain, pages_hidden=pages_hidden)
            known = {number for number, code in self.categories.items() if code == scope.part}
            for number in known - listed.keys():
                self._miss(number, certain=certain)

    def _content(self, product: MallProduct, *, certain: bool) -> set[MallProductState | None]:
        """Return how a product may be stored: its page may be loaded before the list that tells its category."""
        state = MallProductState(product.name, product.category, product.list_price)
        known: set[MallProductState | None] = {None, state, state._replace(list_price=None)}
        if certain:
            return known
        return known | {each._replace(category=None) for each in known if each}

    def _see(self, number: int, *, certain: bool, pages_hidden: bool) -> None:
        """Note a product that is on sale: it has not vanished, but its page may not have been read yet."""
        old: set[Shelf] = self.shelf.get(number, {"no row"})
        self._missing[number] = 0
        if certain:
            unread = pages_hidden and "no row" in old
            self.shelf[number] = {"on sale", "no row"} if unread else {"on sale"}
        else:
            self.shelf[number] = old | {"on sale"}

    def _miss(self, number: int, *, certain: bool) -> None:
        """Note a product that is gone: it vanishes within three sound crawls of its list."""
        old = self.shelf[number]
        self._missing[number] += certain
        if self._missing[number] >= CRAWLS_UNTIL_GONE:
            self.shelf[number] = {"vanished", "no row"} if "no row" in old else {"vanished"}
        else:
            self.shelf[number] = old | {"vanished"}
