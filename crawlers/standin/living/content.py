"""What the sources' pages show of a world at an instant, as rows with the sources' own fields."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from crawlers.standin.catalog import KokRow, ShowRow
from crawlers.standin.content import CHANNELS, PAGE_SIZE
from crawlers.standin.living.airtime import Airing
from crawlers.standin.living.mall import MallProduct
from crawlers.standin.living.products import BroadcastProduct
from crawlers.standin.living.world import ShowProduct, World
from crawlers.standin.schedules import BROADCAST_DAY_TURNS, HMALL_CHANNELS, Slot
from ukok.korea import KST

_NO_DAY = date(2025, 1, 1)  # of a product page, which shows none
MOVED_UP = 3  # products that a list sorted anew shows first


class LivingContent:
    """Content of the pages at one instant.

    A list that changes while it is read has changed once page 2 is requested.
    """

    def __init__(self, world: World, instant: datetime) -> None:
        self._world = world
        self._instant = instant
        self._changed: set[str] = set()

    def slots(self, channel_id: int, day: date) -> Sequence[Slot]:
        if channel_id not in self._world.schedules:
            return []
        shows = self._world.listed(channel_id, day, self._instant)
        return [self._slot(channel_id, day, airing) for airing in shows]

    def category(self, code: str, page: int) -> Sequence[KokRow]:
        products = list(self._world.mall.on_sale(code, self._instant))
        upset = self._world.mall.upset(code, self._instant) if products else None
        if page > 1:
            self._changed.add(code)
        if code in self._changed:
            if upset == "sold out":
                del products[0]
            elif upset == "inserted":
                products.insert(0, products[-1])
            elif upset == "sorted anew":
                products = products[-MOVED_UP:] + products[:-MOVED_UP]
        return [_kok_row(product) for product in products[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]

    def strip(self, code: str, page: int) -> str | None:
        return f"{('evt', 'recent')[page % 2]}-{code}"

    def kok_product(self, product_id: int) -> KokRow | None:
        product = self._world.mall.product(product_id, self._instant)
        return None if product is None else _kok_row(product)

    def broadcast_product(self, source: str, product_id: int) -> ShowRow | None:
        for channel_id in CHANNELS[source] & self._world.schedules.keys():
            products = self._world.schedules[channel_id].products
            if products.has(product_id):
                product = products.at(product_id, self._instant)
                return _show_row(channel_id, _NO_DAY, ("00:00", "01:00"), None, product, main=True)
        return None

    def _slot(self, channel_id: int, day: date, airing: Airing) -> Slot:
        main, *subs = (self._row(channel_id, day, each) for each in self._products(channel_id, airing))
        return Slot(main, tuple(subs), day)

    def _products(self, channel_id: int, airing: Airing) -> Sequence[ShowProduct]:
        return list(self._world.products_of(channel_id, airing, self._instant))

    @staticmethod
    def _row(channel_id: int, day: date, each: ShowProduct) -> ShowRow:
        start, end = (instant.astimezone(KST) for instant in (each.airing.starts_at, each.airing.ends_at))
        overnight = channel_id in HMALL_CHANNELS.values() and (
            timedelta(hours=start.hour, minutes=start.minute) < BROADCAST_DAY_TURNS
        )
        listed_on = day - timedelta(days=overnight)
        times = (f"{start:%H:%M}", f"{end:%H:%M}")
        return _show_row(channel_id, listed_on, times, each.airing.title, each.product, main=each.main)


@lru_cache(maxsize=50_000)
def _kok_row(product: MallProduct) -> KokRow:
    return KokRow.model_validate(
        {
            "product_id": product.number,
            "store_name": product.store,
            "product_name": product.name,
            "category": product.category,
            "price": product.price,
            "list_price": product.list_price,
            "discount_rate": product.rate,
        }
    )


@lru_cache(maxsize=100_000)
def _show_row(
    channel_id: int, day: date, times: tuple[str, str], title: str | None, product: BroadcastProduct, *, main: bool
) -> ShowRow:
    number, price = product.number, product.price
    discounted = channel_id != 1 and price is not None
    return ShowRow(
        channel_id=channel_id,
        broadcast_date=f"{day:%Y-%m-%d}",  # type: ignore[arg-type]  # parsed by its validator
        start=times[0],
        end=times[1],
        slot="main" if main else "sub",
        title=title,
        product_id=number,
        product_name=product.name,
        price_text=None if channel_id != 1 else "상담 예약 상품" if price is None else f"{price:,}",
        sale_price=price if channel_id == 1 else product.list_price if price is not None else None,
        dc_price=price if discounted else None,
        dc_rate_text=f"{product.rate}%" if product.rate and channel_id == 1 else None,
        thumbnail_url=f"https://image.hnsmall.com/images/{number % 1000:03}/{number}_{'wide' if main else 'g'}.jpg",
    )
