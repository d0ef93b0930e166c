"""Category of mall products: the category list that shows them, whether or not their page was due in the same crawl."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from crawlers.items import KokPrice
from pipelines.load.products import KOK_PRODUCT
from sql.upsert import Counts, chunks


def categories_of(prices: Iterable[KokPrice]) -> dict[int, str]:
    """Return the category of each listed product; of several the first by code, whatever the order of the pages."""
    found: dict[int, str] = {}
    for price in prices:
        known = found.setdefault(price.kok_product_id, price.category)
        found[price.kok_product_id] = min(known, price.category)
    return found


def write_categories(conn: Connection, categories: Mapping[int, str], at: datetime) -> Counts:
    """Update the category of products that a page has shown up to an instant; others have no row yet."""
    table = KOK_PRODUCT
    updated = 0
    for ids in chunks(sorted(categories)):
        stored = conn.execute(
            select(table.c.kok_product_id, table.c.category).where(
                table.c.kok_product_id.in_(ids), table.c.first_seen_at <= at
            )
        )
        moved: dict[str, list[int]] = {}
        for product_id, category in stored:
            if category != categories[product_id]:
                moved.setdefault(categories[product_id], []).append(product_id)
        for category, products in moved.items():
            conn.execute(update(table).where(table.c.kok_product_id.in_(products)).values(category=category))
            updated += len(products)
    return Counts(updated=updated)
