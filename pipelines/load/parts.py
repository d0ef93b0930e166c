"""Rows that are replaced together with their product: the facts and images of its page, its seller, its ingredients."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, tuple_

from crawlers.items import HomeShoppingProduct, KokProduct
from pipelines.load.history import Key
from pipelines.load.ledger import table_of
from pipelines.load.tally import Tally
from recommender.text.cleaning import LONGEST_TEXT, fit
from sql.service import pages
from sql.upsert import Counts, chunks

DETAIL, IMAGE = table_of(pages.ProductDetail), table_of(pages.ProductImage)

OWNERS_AT_ONCE = 200

Row = Mapping[str, Any]


def write_details(conn: Connection, source: str, products: Mapping[int, KokProduct | HomeShoppingProduct]) -> Tally:
    """Write what product pages, by product id, show in tables of facts and in images."""
    details: dict[Key, list[Row]] = {}
    images: dict[Key, list[Row]] = {}
    for product_id, page in products.items():
        owner = {"source": source, "source_product_id": product_id}
        details[source, product_id] = [
            owner | {"position": position, "name": fit(row.name, 1000), "value": fit(row.value, LONGEST_TEXT)}
            for position, row in enumerate(page.details)
        ]
        images[source, product_id] = [
            owner | {"position": position, "image_url": url} for position, url in enumerate(page.images)
        ]
    tally = replace_parts(conn, DETAIL, details)
    tally += replace_parts(conn, IMAGE, images)
    return tally


def replace_parts(conn: Connection, table: Table, parts: Mapping[Key, Sequence[Row]]) -> Tally:
    """Give each owner exactly its rows, whole ones, touching only what differs.

    An owner is named by the first columns of the primary key, such as source and product id.
    """
    key = list(table.primary_key.columns)
    tally = Tally()
    for owners in chunks(list(parts), OWNERS_AT_ONCE):
        wanted = {tuple(row[column.name] for column in key): row for owner in owners for row in parts[owner]}
        found = conn.execute(select(table).where(tuple_(*key[: len(owners[0])]).in_(list(owners)))).mappings()
        stored = {tuple(row[column.name] for column in key): dict(row) for row in found}
        fresh = {each: row for each, row in wanted.items() if stored.get(each) != row}
        stale = [each for each, row in stored.items() if wanted.get(each) != row]
        for gone in chunks(stale):
            conn.execute(delete(table).where(tuple_(*key).in_(list(gone))))
        if fresh:
            conn.execute(insert(table), list(fresh.values()))
        changed = len(fresh.keys() & stored.keys())
        counts = Counts(len(fresh) - changed, changed, len(wanted) - len(fresh))
        tally.add(table, counts, deleted=len(stale) - changed)
    return tally
