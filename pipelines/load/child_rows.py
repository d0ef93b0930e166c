"""Rows that belong to a product and are replaced as a whole: page details and images, seller, ingredients."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, tuple_

from crawlers.items import HomeShoppingProduct, KokProduct
from pipelines.load.history import Key
from pipelines.load.ledger import table_of
from pipelines.load.row_counts import RowCounts
from pipelines.load.texts import fit_row
from sql.service import pages
from sql.upsert import Counts, chunks

DETAIL, IMAGE = table_of(pages.ProductDetail), table_of(pages.ProductImage)

OWNERS_AT_ONCE = 200

Row = Mapping[str, Any]
ProductPages = Mapping[int, KokProduct] | Mapping[int, HomeShoppingProduct]


def write_page_details(conn: Connection, source: str, products: ProductPages) -> RowCounts:
    """Write the specification tables and images of product pages, given by product id, as far as they were read."""
    cut = Counter[str]()
    details: dict[Key, list[Row]] = {}
    images: dict[Key, list[Row]] = {}
    for product_id, page in products.items():
        owner = {"source": source, "source_product_id": product_id}
        if "details" not in page.unread:
            details[source, product_id] = [
                fit_row(DETAIL, owner | {"position": position, "name": row.name, "value": row.value}, cut)
                for position, row in enumerate(page.details)
            ]
        if "images" not in page.unread:
            images[source, product_id] = [
                owner | {"position": position, "image_url": url} for position, url in enumerate(page.images)
            ]
    row_counts = RowCounts(cut=cut)
    row_counts += replace_child_rows(conn, DETAIL, details)
    row_counts += replace_child_rows(conn, IMAGE, images)
    return row_counts


def replace_child_rows(conn: Connection, table: Table, rows: Mapping[Key, Sequence[Row]]) -> RowCounts:
    """Replace the rows of each owner by those given, writing only what differs.

    The key of an owner is the first columns of the primary key, such as source and product id.
    """
    key = list(table.primary_key.columns)
    row_counts = RowCounts()
    for owners in chunks(list(rows), OWNERS_AT_ONCE):
        wanted = {tuple(row[column.name] for column in key): row for owner in owners for row in rows[owner]}
        found = conn.execute(select(table).where(tuple_(*key[: len(owners[0])]).in_(list(owners)))).mappings()
        stored = {tuple(row[column.name] for column in key): dict(row) for row in found}
        fresh = {each: row for each, row in wanted.items() if stored.get(each) != row}
        stale = [each for each, row in stored.items() if wanted.get(each) != row]
        for chunk in chunks(stale):
            conn.execute(delete(table).where(tuple_(*key).in_(list(chunk))))
        if fresh:
            conn.execute(insert(table), list(fresh.values()))
        changed = len(fresh.keys() & stored.keys())
        counts = Counts(len(fresh) - changed, changed, len(wanted) - len(fresh))
        row_counts.add(table, counts, deleted=len(stale) - changed)
    return row_counts
