"""What is true at an instant: the shows and products that exist, whatever the sources' pages show of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crawlers.standin.living.airtime import Airing
from crawlers.standin.living.chance import Chance
from crawlers.standin.living.mall import Mall
from crawlers.standin.living.products import BroadcastProduct
from crawlers.standin.living.schedule import Schedule
from crawlers.standin.living.size import MONTH, Size
from ukok.korea import KST

DROPS_FINISHED = frozenset({1, 5})
"""Channels whose page no longer lists shows that are over."""
ANNOUNCED_DAYS = 10  # the sources list their own day and this many after it


@dataclass(frozen=True, slots=True)
class ShowProduct:
    """A product in a show."""

    airing: Airing
    product: BroadcastProduct
    main: bool


class World:
    """Everything that the sources could show, as a function of the instant."""

    def __init__(self, seed: int = 1, size: Size = MONTH) -> None:
        self._chance = Chance(seed)
        self.mall = Mall(self._chance, size.categories)
        self.schedules = {channel: Schedule(self._chance, channel, rows) for channel, rows in sorted(size.rows.items())}

    def shows(self, channel_id: int, day: date, instant: datetime) -> tuple[Airing, ...]:
        """Return the shows that are planned, on air or over, and not cancelled, of those that begin on a day."""
        return self.schedules[channel_id].plan(day).at(instant)

    def products_of(self, channel_id: int, airing: Airing, instant: datetime) -> Iterator[ShowProduct]:
        """Yield the products of a show, the main one first."""
        products = self.schedules[channel_id].products
        for place, number in enumerate(airing.products):
            yield ShowProduct(airing, products.at(number, instant), main=place == 0)

    def listed(self, channel_id: int, day: date, instant: datetime) -> tuple[Airing, ...]:
        """Return the shows that the page of a day lists: within the announced days, on some channels not those over."""
        today = self.sites_day(channel_id, instant)
        if day > today + timedelta(days=ANNOUNCED_DAYS):
            return ()
        shows = self.shows(channel_id, day, instant)
        if channel_id not in DROPS_FINISHED or day > today:
            return shows
        return tuple(show for show in shows if show.ends_at > instant)

    def sites_day(self, channel_id: int, instant: datetime) -> date:
        """Return the day that a source takes for today; it turns up to nine minutes after midnight."""
        day = instant.astimezone(KST).date()
        late = timedelta(minutes=4 + self._chance.below(6, "late", channel_id, day))
        return (instant - late).astimezone(KST).date()
