"""Price histories: every stored price was true at the instant of its observation."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from crawlers.standin.living.world import World
from tests.month.scopes import CHANNELS
from tests.month.stored import FCT_PRICE, KOK_PRICE


def false_prices(world: World, service: Engine, warehouse: Engine) -> Iterator[str]:
    """Yield each stored price that the source did not have when it was observed."""
    with service.connect() as conn:
        mall = select(KOK_PRICE.c.kok_product_id, KOK_PRICE.c.observed_at, KOK_PRICE.c.price)
        rows: list[Any] = [("service", "kok", *row) for row in conn.execute(mall)]
    with warehouse.connect() as conn:
        every = select(FCT_PRICE.c.source, FCT_PRICE.c.source_product_id, FCT_PRICE.c.observed_at, FCT_PRICE.c.price)
        rows += [("warehouse", *row) for row in conn.execute(every)]
    for database, source, number, observed_at, price in rows:
        true = _price(world, source, number, observed_at)
        if price not in (true, None):  # unknown is not false
            yield f"{database}: {source} {number} cost {true} at {observed_at}, not {price}"


def _price(world: World, source: str, number: int, at: datetime) -> int | None:
    if source == "kok":
        product = world.mall.product(number, at)
        return product.price if product else None
    products = (world.schedules[channel].products for channel in CHANNELS[source])
    return next(own.at(number, at).price for own in products if own.has(number))
