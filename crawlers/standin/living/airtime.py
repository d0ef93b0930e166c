"""Shows of one channel on one day, and what happens to them before they begin."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AnnouncedProduct:
    """A product of a show, and since when the schedule names it."""

    number: int
    since: datetime


@dataclass(frozen=True, slots=True)
class PlannedShow:
    """A show as it is planned: its title and products, the main one first."""

    title: str | None
    products: tuple[AnnouncedProduct, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to the planned show at ``place`` at an instant.

    ``cancel`` and ``restore`` it, ``swap`` it with the show after it, or let the show after it begin ``minutes`` later.
    """

    at: datetime
    kind: str
    place: int
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Airing:
    """A show with its time and the ids of its products that are announced, the main one first."""

    starts_at: datetime
    ends_at: datetime
    title: str | None
    products: tuple[int, ...]


@dataclass(frozen=True)
class DayPlan:
    """The shows of a channel's day one after the other: ``bounds`` holds their starts and the end of the last."""

    bounds: tuple[datetime, ...]
    shows: tuple[PlannedShow, ...]
    changes: tuple[Change, ...]

    @cached_property
    def _instants(self) -> list[datetime]:
        """Return every instant at which the schedule of this day changes."""
        announced = {product.since for show in self.shows for product in show.products}
        return sorted(announced | {change.at for change in self.changes})

    @cached_property
    def _versions(self) -> dict[int, tuple[Airing, ...]]:
        return {}

    def at(self, instant: datetime) -> tuple[Airing, ...]:
        """Return the shows that are announced and not cancelled at an instant."""
        version = bisect_right(self._instants, instant)
        if version not in self._versions:
            self._versions[version] = tuple(self._airings(instant))
        return self._versions[version]

    def _airings(self, instant: datetime) -> Iterator[Airing]:
        bounds, shows = list(self.bounds), list(self.shows)
        off_air: set[PlannedShow] = set()
        for change in sorted(self.changes, key=lambda change: change.at):
            if change.at <= instant:
                _apply(change, self.shows[change.place], bounds, shows, off_air)
        for show, (start, end) in zip(shows, pairwise(bounds), strict=True):
            products = tuple(product.number for product in show.products if product.since <= instant)
            if products and show not in off_air:
                yield Airing(start, end, show.title, products)


def _apply(
    change: Change, show: PlannedShow, bounds: list[datetime], shows: list[PlannedShow], off_air: set[PlannedShow]
) -> None:
    after = change.place + 1
    if change.kind == "cancel":
        off_air.add(show)
    elif change.kind == "restore":
        off_air.discard(show)
    elif change.kind == "swap":
        shows[change.place], shows[after] = shows[after], shows[change.place]
    else:
        bounds[after] += change.minutes * MINUTE


def even_bounds(start: datetime, end: datetime, shows: int) -> tuple[datetime, ...]:
    """Divide a day into ``shows`` parts of nearly the same length, in steps of five minutes."""
    minutes = (end - start) // MINUTE
    starts = (start + minutes * place // shows // 5 * 5 * MINUTE for place in range(shows))
    return (*starts, end)
