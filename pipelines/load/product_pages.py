"""What shows and product pages of a broadcaster tell of its products, taken together.

A show tells the name and the price of the moment. A page tells the store and the description, and of the price what
the show of the same crawl leaves open. What neither tells stays as it is known: a page is read only now and then, and
no price comes and goes with it. A page whose product has no show any more says nothing of its price.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, select

from crawlers.items import HomeShoppingProduct, Item, Show
from pipelines.load.intake import Intake
from sql.upsert import chunks

CONTENT = sorted(HomeShoppingProduct.model_fields.keys() - Item.model_fields.keys())
PRICE_KINDS = ("amount", "consult", "unknown")

Pages = Mapping[int, HomeShoppingProduct]


def speakers(shows: Iterable[Show]) -> dict[int, Show]:
    """The show that speaks for each product: one that knows the price, as the main product, the earliest."""
    order = sorted(
        shows,
        key=lambda show: (PRICE_KINDS.index(show.price_kind), show.slot != "main", show.starts_at, show.channel_id),
    )
    first: dict[int, Show] = {}
    for show in order:
        first.setdefault(show.source_product_id, show)
    return first


def told(shows: Mapping[int, Show], pages: Pages) -> dict[int, dict[str, Any]]:
    """What is told of each product, by column; a column that is left out stays as it is known."""
    found: dict[int, dict[str, Any]] = {product_id: {} for product_id in [*shows, *pages]}
    for product_id, page in pages.items():
        found[product_id]["description"] = page.description
        if page.store_name is not None:
            found[product_id]["store_name"] = page.store_name
        if product_id in shows:
            found[product_id] |= _price(page)
    for product_id, show in shows.items():
        found[product_id] |= {"product_name": show.product_name, "thumbnail_url": show.thumbnail_url, **_price(show)}
    return found


def without_unlisted(pages: Pages, known: Collection[int], intake: Intake) -> Pages:
    """The pages of ``known`` products; a product that no schedule ever listed has no place to land and is rejected."""
    for product_id, page in pages.items():
        if product_id not in known:
            intake.reject(page, "product of no show", "no schedule up to this crawl lists it")
    return {product_id: page for product_id, page in pages.items() if product_id in known}


def known_products(
    conn: Connection, seen_at: Column[Any], source: str, product_ids: Collection[int], at: datetime
) -> set[int]:
    """Those of the products that were seen before an instant, as column ``seen_at`` of their table tells."""
    table = seen_at.table
    known: set[int] = set()
    for chunk in chunks(sorted(product_ids)):
        in_chunk = table.c.source_product_id.in_(chunk)
        known |= set(
            conn.scalars(select(table.c.source_product_id).where(table.c.source == source, in_chunk, seen_at < at))
        )
    return known


def _price(item: Show | HomeShoppingProduct) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if item.price_kind != "unknown":
        told |= {"price": item.price, "price_kind": item.price_kind}
    if item.list_price is not None:
        told["list_price"] = item.list_price
    return told
