"""Plans of the broadcasters' days: how many shows, when they are announced, and what is changed later."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from crawlers.standin.living.airtime import AnnouncedProduct, Change, DayPlan, PlannedShow, even_bounds
from crawlers.standin.living.chance import Chance
from crawlers.standin.living.products import BroadcastProducts
from crawlers.standin.living.words import show_title
from ukok.korea import KST

Holiday = Literal["few", "none"]

ANNOUNCED = 13  # days before which nothing is announced
SHOPPLUS, SHOPPLUS_ANNOUNCED = 5, 7  # this channel announces later than the others
CANCELLED, SWAPPED, MOVED = 0.04, 0.03, 0.03  # shares of the shows
RESTORED = 0.4  # share of the cancelled shows that return
LAST_CHANGE = timedelta(hours=5)  # no show changes later than that before it begins
_EPOCH = date(2025, 1, 1)


class Schedule:
    """The schedule of one channel. ``rows``: products on air a day, one number for each day in turn."""

    def __init__(self, chance: Chance, channel_id: int, rows: tuple[int, ...]) -> None:
        self._chance = chance
        self._rows = rows
        self.channel_id = channel_id
        self.products = BroadcastProducts(chance, channel_id, 4 * max(rows))
        self.plan = lru_cache(maxsize=None)(self._plan)

    def holiday(self, day: date) -> Holiday | None:
        """Return whether a day is a holiday, with ``few`` long shows or none at all."""
        share = self._chance.share("holiday", self.channel_id, day)
        return "none" if share < 0.02 else "few" if share < 0.06 else None

    def _plan(self, day: date) -> DayPlan:
        start = self._begin(day)
        end = self._begin(day + timedelta(days=1))
        holiday = self.holiday(day)
        if holiday == "none":
            return DayPlan((start,), (), ())
        rows = self._rows[(day - _EPOCH).days % len(self._rows)]
        shows = 3 if holiday == "few" else min(max(rows // 4, 6), 24)
        bounds = even_bounds(start, end, shows)
        planned = tuple(self._shows(day, shows, rows if holiday is None else 4))
        changes = () if holiday else tuple(self._changes(day, bounds))
        return DayPlan(bounds, planned, changes)

    def _begin(self, day: date) -> datetime:
        """Return when the first show of a day begins: up to fifty minutes after midnight."""
        minutes = 5 * self._chance.below(11, "begin", self.channel_id, day)
        return datetime.combine(day, time(), KST) + timedelta(minutes=minutes)

    def _shows(self, day: date, shows: int, rows: int) -> Iterator[PlannedShow]:
        """Yield the shows of a day, which together have ``rows`` products, each of them once."""
        places = self._distinct_places(day, max(rows, shows))
        for place in range(shows):
            own = places[place::shows]
            first = self._announced(day, place, 0, ANNOUNCED)
            main, *subs = (self.products.number(each) for each in own)
            announced = [AnnouncedProduct(main, first)]
            announced += [
                AnnouncedProduct(number, max(first, self._announced(day, place, nth, 5)))
                for nth, number in enumerate(subs, start=1)
            ]
            untitled = self._chance.share("untitled", self.channel_id, day, place) < 0.03
            title = None if untitled else show_title(self.products.at(main, first).name)
            yield PlannedShow(title, tuple(announced))

    def _distinct_places(self, day: date, count: int) -> list[int]:
        size = self.products.size
        step = next(step for step in (3, 5, 7, 11, 13) if size % step)
        first = self._chance.below(size, "first product", self.channel_id, day)
        return [(first + step * nth) % size for nth in range(count)]

    def _announced(self, day: date, place: int, nth: int, longest: int) -> datetime:
        """Return when a product of a show is announced: at least a day before, so that far days are thin."""
        days = 1 + (longest - 1) * self._chance.share("announced", self.channel_id, day, place, nth)
        if self.channel_id == SHOPPLUS:
            days = min(days, SHOPPLUS_ANNOUNCED)
        return datetime.combine(day, time(), KST) - timedelta(days=days)

    def _changes(self, day: date, bounds: tuple[datetime, ...]) -> Iterator[Change]:
        """Yield the changes to the shows of a day, at most one for each show and its neighbour."""
        changed = -1
        for place, start in enumerate(bounds[:-2]):
            share = self._chance.share("change", self.channel_id, day, place)
            if place <= changed or share >= CANCELLED + SWAPPED + MOVED:
                continue
            changed = place + 1
            key = (self.channel_id, day, place)
            latest = start - LAST_CHANGE
            at = latest - timedelta(hours=60) * self._chance.share("change at", *key)
            if share < CANCELLED:
                yield Change(at, "cancel", place)
                again = at + timedelta(hours=3 + self._chance.below(30, "restored", *key))
                if again < latest and self._chance.share("returns", *key) < RESTORED:
                    yield Change(again, "restore", place)
            elif share < CANCELLED + SWAPPED:
                yield Change(at, "swap", place)
            else:
                yield Change(at, "move", place, self._chance.pick((-10, -5, 10), "minutes", *key))
