"""Products of the broadcasters, and how prices move."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from crawlers.standin.living.chance import Chance
from crawlers.standin.living.words import food_name, thing_name

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
FIRST_IDS = {1: 60_000_000, 2: 2_202_000_000, 3: 2_303_000_000, 4: 44_000_000, 5: 45_000_000}
"""Smallest product id of each channel; the sources' ids have these lengths."""


@dataclass(frozen=True, slots=True)
class BroadcastProduct:
    """A product on air. ``price`` is what the customer pays; None is on request, or not given."""

    number: int
    name: str
    list_price: int
    price: int | None

    @property
    def rate(self) -> int | None:
        """Discount in percent; None without one."""
        return round((self.list_price - self.price) / self.list_price * 100) or None if self.price else None


class BroadcastProducts:
    """The products of one channel: as many as ``size``, with prices that change every few days."""

    def __init__(self, chance: Chance, channel_id: int, size: int) -> None:
        self._chance = chance
        self._channel_id = channel_id
        self.size = size

    def number(self, place: int) -> int:
        """Return the id of the product at a place below ``size``."""
        return FIRST_IDS[self._channel_id] + 7 * place

    def has(self, number: int) -> bool:
        """Return whether a product id is one of this channel."""
        place, rest = divmod(number - FIRST_IDS[self._channel_id], 7)
        return rest == 0 and 0 <= place < self.size

    def at(self, number: int, instant: datetime) -> BroadcastProduct:
        """Return a product as it is at an instant."""
        return _product(self._chance, number, self._channel_id, price_version(self._chance, number, instant))


def price_version(chance: Chance, number: int, instant: datetime) -> int:
    """Return how often the price of a product has changed up to an instant; a third of them never change."""
    if chance.share("steady", number) < 1 / 3:
        return 0
    period = timedelta(days=2 + 8 * chance.share("price period", number))
    phase = period * chance.share("price phase", number)
    return (instant - EPOCH + phase) // period


@lru_cache(maxsize=200_000)
def _product(chance: Chance, number: int, channel_id: int, version: int) -> BroadcastProduct:
    name = food_name(chance, number) if chance.share("is food", number) < 0.4 else thing_name(chance, number)
    list_price = 9_900 + 1_000 * chance.below(290, "list price", number)
    unpriced = chance.share("unpriced", number) < (0.01 if channel_id == 1 else 0.04 if channel_id > 3 else 0)
    # Few steps, so that a price often returns to an earlier one.
    price = list_price - round(list_price * 0.05 * chance.below(5, "price step", number, version) / 100) * 100
    return BroadcastProduct(number, name, list_price, None if unpriced else price)
