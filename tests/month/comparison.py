"""Differences between the databases and what they may hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from crawlers.standin.living.world import World
from tests.month.expected_mall import ExpectedMall
from tests.month.expected_shows import ExpectedShows, ProductKey, ProductState, scope_of
from tests.month.scopes import Injection, Scope
from tests.month.stored import Stored, read_service, read_warehouse

Place = tuple[str, Scope | None]  # source, and scope if the row belongs to one


@dataclass(frozen=True)
class Difference:
    """A row that is not as it may be. ``what`` names the rows, ``key`` the row."""

    database: str
    what: str
    source: str
    key: tuple[Any, ...]
    scope: Scope | None = field(compare=False)
    found: str = field(compare=False)
    possible: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.database} {self.what} {self.key}: {self.found}, but possible: {self.possible}"


@dataclass
class Expectation:
    """What the databases may hold after every crawl so far."""

    world: World
    shows: ExpectedShows = field(init=False)
    mall: ExpectedMall = field(init=False)

    def __post_init__(self) -> None:
        self.shows, self.mall = ExpectedShows(self.world), ExpectedMall(self.world)

    def observe(self, source: str, at: datetime, disturbed: Mapping[Scope, Injection]) -> None:
        """Take in a crawl of a source."""
        if source == "kok":
            self.mall.observe(at, disturbed)
        else:
            self.shows.observe(source, at, disturbed)

    def differences(self, service: Engine, warehouse: Engine, since: datetime) -> set[Difference]:
        """Compare both databases; shows that ended before ``since`` are left out."""
        stored = (read_service(service, since), read_warehouse(warehouse, since))
        return {difference for database in stored for difference in self._in(database, since)}

    def _in(self, stored: Stored, since: datetime) -> Iterator[Difference]:
        yield from self._shows(stored, since)
        yield from _compared(stored, "product", self.shows.products, stored.products, self._product)
        yield from _compared(stored, "mall price", self.mall.prices, stored.mall_prices, self._category)
        yield from _compared(stored, "mall product", self.mall.products, stored.mall_products, self._category)
        if stored.database == "service":
            shelf = {**dict.fromkeys(self.mall.shelf, "no row"), **stored.shelf}
            yield from _compared(stored, "mall shelf", self.mall.shelf, shelf, self._category)

    def _product(self, key: ProductKey, found: ProductState | None) -> Place:
        return key[0], self.shows.disturbed_scope(key, found)

    def _category(self, number: int, _: object) -> Place:
        code = self.mall.categories.get(number)
        return "kok", Scope("kok", code) if code else None

    def _shows(self, stored: Stored, since: datetime) -> Iterator[Difference]:
        # A show whose end is moved may be stored with the old one.
        clear = since + timedelta(hours=1)
        expected = {
            key: states
            for key, states in self.shows.shows.items()
            if all(state is None or state.ends_at > clear for state in states)
        }
        found = {key: state for key, state in stored.shows.items() if key in expected or key not in self.shows.shows}
        yield from _compared(stored, "show", expected, found, lambda key, _: (scope_of(key).source, scope_of(key)))


def _compared(
    stored: Stored, what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any], place: Callable[[Any, Any], Place]
) -> Iterator[Difference]:
    for key in expected.keys() | found.keys():
        possible, state = expected.get(key, {None}), found.get(key)
        if state not in possible:
            source, scope = place(key, state)
            row = key if isinstance(key, tuple) else (key,)
            yield Difference(stored.database, what, source, row, scope, str(state), str(sorted(map(str, possible))))
