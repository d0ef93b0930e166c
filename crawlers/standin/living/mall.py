"""Categories of the mall: products come, go and return, their prices move, and lists are sorted anew."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from crawlers.items import CATEGORIES
from crawlers.standin.content import PAGE_SIZE
from crawlers.standin.living.chance import Chance
from crawlers.standin.living.products import EPOCH, price_version
from crawlers.standin.living.words import food_name, store_name, thing_name

Upset = Literal["sold out", "inserted", "sorted anew"]

FIRST_ID = 1_500_000
PLACES = 10_000  # ids of a category; each of its places has OCCUPANTS of them
OCCUPANTS = 20
BUSY = 0.2  # share of the places whose product changes every few days
UPSET = 0.2  # share of the lists of several pages that change while they are read
_LISTED_FOR = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class MallProduct:
    """A product of the mall at an instant. ``price`` is what the customer pays."""

    number: int
    category: str
    store: str
    name: str
    list_price: int
    price: int
    rate: int


class Mall:
    """The categories of the mall; ``sizes`` are those of :data:`~crawlers.items.CATEGORIES`.

    A category whose size is a multiple of the page size keeps it: a product that goes is replaced at once. In the
    others places are empty at times.
    """

    def __init__(self, chance: Chance, sizes: tuple[int, ...]) -> None:
        self._chance = chance
        self._sizes = dict(zip(CATEGORIES, sizes, strict=True))
        self._firsts = {code: FIRST_ID + place * PLACES for place, code in enumerate(CATEGORIES)}

    def on_sale(self, code: str, instant: datetime) -> tuple[MallProduct, ...]:
        """Return the products of a category, in the order of its list."""
        places = range(self._sizes.get(code, 0))
        numbers = [number for place in places if (number := self._occupant(code, place, instant)) is not None]
        day = (instant - EPOCH) // timedelta(days=1)
        numbers.sort(key=lambda number: self._chance.share("order", number, day))
        return tuple(self._at(code, number, instant) for number in numbers)

    def product(self, number: int, instant: datetime) -> MallProduct | None:
        """Return a product; None while it is not on sale."""
        place, rest = divmod(number - FIRST_ID, PLACES)
        if not 0 <= place < len(CATEGORIES):
            return None
        code = CATEGORIES[place]
        on_sale = rest // OCCUPANTS < self._sizes[code] and self._occupant(code, rest // OCCUPANTS, instant) == number
        return self._at(code, number, instant) if on_sale else None

    def upset(self, code: str, instant: datetime) -> Upset | None:
        """Return what happens to a list between the requests for its first pages."""
        times = (instant - EPOCH) // _LISTED_FOR
        if self._chance.share("upset", code, times) >= UPSET or len(self.on_sale(code, instant)) <= PAGE_SIZE:
            return None
        kinds: tuple[Upset, ...] = ("sold out", "inserted", "sorted anew")
        return self._chance.pick(kinds, "kind of upset", code, times)

    def _occupant(self, code: str, place: int, instant: datetime) -> int | None:
        """Return the product at a place: one after the other, and now and then one that has been there before."""
        busy = self._chance.share("busy", code, place) < BUSY
        period = timedelta(days=(1.5 if busy else 40) * (1 + self._chance.share("period", code, place)))
        turn = (instant - EPOCH + period * self._chance.share("phase", code, place)) // period
        round_, part = divmod(turn, 4)
        gaps = self._sizes[code] % PAGE_SIZE != 0 and place > 0  # no category is ever empty
        occupant = (2 * round_, None if gaps else 2 * round_ + 1, 2 * round_, 2 * round_ + 1)[part]
        return None if occupant is None else self._firsts[code] + place * OCCUPANTS + occupant % OCCUPANTS

    def _at(self, code: str, number: int, instant: datetime) -> MallProduct:
        return _product(self._chance, code, number, price_version(self._chance, number, instant))


@lru_cache(maxsize=200_000)
def _product(chance: Chance, code: str, number: int, version: int) -> MallProduct:
    food = chance.share("is food", number) < 0.8
    list_price = 5_900 + 1_000 * chance.below(60, "list price", number)
    rate = (0, 10, 15, 20, 30)[chance.below(5, "rate", number, version)]
    return MallProduct(
        number,
        code,
        store_name(chance, number),
        food_name(chance, number) if food else thing_name(chance, number),
        list_price,
        round(list_price * (100 - rate) / 1000) * 10,
        rate,
    )
