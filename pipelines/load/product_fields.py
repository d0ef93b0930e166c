"""Merge the fields of a broadcaster's products from its shows and product pages.

A show gives the name and, unless its day is over, the current price. A page gives the store, the description, and the
parts of the price that the shows of the same crawl lack. Fields that neither gives keep their stored values: pages are
fetched only now and then, and prices must not come and go with them. The price on a page is ignored if no show of the
crawl has the product.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Column, Connection, select

from crawlers.items import HomeShoppingProduct, Item, Show
from crawlers.parsing import PriceKind
from pipelines.load.item_validator import ItemValidator
from sql.upsert import chunks

CONTENT = sorted(HomeShoppingProduct.model_fields.keys() - Item.model_fields.keys())
PRICE_KINDS = ("amount", "consult", "unknown")

Pages = Mapping[int, HomeShoppingProduct]


class ProductFields(TypedDict, total=False):
    """The columns of a product that a crawl knows; omitted ones keep their stored values."""

    product_name: str
    store_name: str
    description: str | None
    thumbnail_url: str | None
    price: int | None
    price_kind: PriceKind
    list_price: int
    discount_rate: int


def best_shows(shows: Iterable[Show]) -> dict[int, Show]:
    """Return for each product the show to take fields from: of today or later, with a price, as main, the earliest."""
    order = sorted(
        shows,
        key=lambda show: (
            show.is_past,
            PRICE_KINDS.index(show.price_kind),
            show.slot != "main",
            show.starts_at,
            show.channel_id,
        ),
    )
    first: dict[int, Show] = {}
    for show in order:
        first.setdefault(show.source_product_id, show)
    return first


def merge_product_fields(shows: Mapping[int, Show], pages: Pages) -> dict[int, ProductFields]:
    """Return the known columns of each product."""
    fields: dict[int, ProductFields] = {product_id: {} for product_id in [*shows, *pages]}
    for product_id, page in pages.items():
        if "description" not in page.unread:
            fields[product_id]["description"] = page.description
        if page.store_name is not None:
            fields[product_id]["store_name"] = page.store_name
        if product_id in shows:
            fields[product_id] |= _price(page)
    for product_id, show in shows.items():
        if show.price_label and show.price_label != (product_id in pages and pages[product_id].price_label):
            fields[product_id].pop("discount_rate", None)  # that of the page belongs to another price
        fields[product_id] |= {"product_name": show.product_name, "thumbnail_url": show.thumbnail_url, **_price(show)}
    return fields


def reject_unlisted(pages: Pages, known: Collection[int], validator: ItemValidator) -> Pages:
    """Return the pages of ``known`` products; reject the others, which no schedule has ever listed."""
    for product_id, page in pages.items():
        if product_id not in known:
            validator.reject(page, "product of no show", "no schedule up to this crawl lists it")
    return {product_id: page for product_id, page in pages.items() if product_id in known}


def known_products(
    conn: Connection, seen_at: Column[Any], source: str, product_ids: Collection[int], at: datetime
) -> set[int]:
    """Return the products that were first seen before an instant, by column ``seen_at`` of their table."""
    table = seen_at.table
    known: set[int] = set()
    for chunk in chunks(sorted(product_ids)):
        in_chunk = table.c.source_product_id.in_(chunk)
        known |= set(
            conn.scalars(select(table.c.source_product_id).where(table.c.source == source, in_chunk, seen_at < at))
        )
    return known


def _price(item: Show | HomeShoppingProduct) -> ProductFields:
    fields: ProductFields = {}
    if isinstance(item, Show) and item.is_past:
        return fields
    if item.price_kind != "unknown":
        fields |= {"price": item.price, "price_kind": item.price_kind}
    if item.list_price is not None:
        fields["list_price"] = item.list_price
    if item.discount_rate is not None and item.price_kind != "unknown":
        fields["discount_rate"] = item.discount_rate
    return fields
