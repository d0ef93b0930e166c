"""Link every product of the catalog to its item, in the service database and in the warehouse.

Items are computed anew from the current catalog, oldest listing first, so they do not depend on earlier runs; only rows
that differ are written. An item keeps its id while its first listing stays the same product. Where two items become
one, the older id stays; where the first listing becomes another product, it keeps the id, and the others go on under
the id of the oldest among them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, delete, func, literal, select, tuple_

from artifacts.store import Store
from pipelines.link.items import Link, Listing, link, listing
from pipelines.load.ledger import increment_version, lock_service, lock_warehouse, table_of
from pipelines.load.row_counts import RowCounts
from pipelines.report import Report, record
from recommender.product_ref import KOK
from sql.service import catalog
from sql.upsert import chunks, upsert
from sql.warehouse import history

KOK_PRODUCT, PRICE, HOME_SHOPPING = (
    table_of(catalog.KokProduct),
    table_of(catalog.KokPrice),
    table_of(catalog.HomeShoppingProduct),
)
PRODUCT_ITEM, WAREHOUSE_PRODUCT_ITEM = table_of(catalog.ProductItem), table_of(history.ProductItem)


def link_items(service: Engine, warehouse: Engine, store: Store) -> Report:
    """Write the item of every product into both tables ``product_item``; waits for running loads. Idempotent."""
    with record(warehouse, store, "link_items") as report:
        with service.begin() as conn:
            lock_service(conn, ["kok", "schedule"])
            links = link(_listings(conn))
            row_counts = _write(conn, PRODUCT_ITEM, links)
            if row_counts.written:
                # The API shows one listing of each item, so both catalogs have changed.
                for dataset in ("kok", "schedule"):
                    increment_version(conn, dataset)
        with warehouse.begin() as conn:
            lock_warehouse(conn, "items")
            history_counts = _write(conn, WAREHOUSE_PRODUCT_ITEM, links)
        report.read = len(links)
        report.written = row_counts.written + history_counts.written
        report.unchanged = row_counts.unchanged(PRODUCT_ITEM)
        report.details |= {"service": row_counts.details(), "warehouse": history_counts.details()} | _figures(links)
    return report


def _listings(conn: Connection) -> list[Listing]:
    """Every product with its newest price, ordered by when it was first seen."""
    newest = (
        select(PRICE.c.kok_product_id, func.max(PRICE.c.observed_at).label("observed_at"))
        .group_by(PRICE.c.kok_product_id)
        .subquery()
    )
    on_newest = and_(PRICE.c.kok_product_id == newest.c.kok_product_id, PRICE.c.observed_at == newest.c.observed_at)
    mall = (
        select(
            literal(KOK),
            KOK_PRODUCT.c.kok_product_id,
            KOK_PRODUCT.c.product_name,
            KOK_PRODUCT.c.store_name,
            PRICE.c.price,
        )
        .add_columns(KOK_PRODUCT.c.first_seen_at)
        .outerjoin(newest, newest.c.kok_product_id == KOK_PRODUCT.c.kok_product_id)
        .outerjoin(PRICE, on_newest)
    )
    names = ("source", "source_product_id", "product_name", "store_name", "price", "first_seen_at")
    broadcasts = select(*(HOME_SHOPPING.c[name] for name in names))
    rows = [*conn.execute(mall), *conn.execute(broadcasts)]
    rows.sort(key=lambda row: (row[5], row[0], row[1]))
    return [listing(*row[:5]) for row in rows]


def _write(conn: Connection, table: Table, links: Sequence[Link]) -> RowCounts:
    rows: list[dict[str, Any]] = [
        {
            "source": each.listing.source,
            "source_product_id": each.listing.product_id,
            "item_id": each.item_id,
            "score": each.score,
            "method": each.method,
        }
        for each in links
    ]
    row_counts = RowCounts()
    row_counts.add(
        table,
        upsert(conn, table, rows, update_columns=["item_id", "score", "method"]),
        deleted=_delete_missing(conn, table, {(row["source"], row["source_product_id"]) for row in rows}),
    )
    return row_counts


def _delete_missing(conn: Connection, table: Table, products: set[tuple[str, int]]) -> int:
    """Delete the rows of products that are no longer in the catalog."""
    key = tuple_(table.c.source, table.c.source_product_id)
    stored = conn.execute(select(table.c.source, table.c.source_product_id))
    gone = [tuple(row) for row in stored if tuple(row) not in products]
    for keys in chunks(gone):
        conn.execute(delete(table).where(key.in_(keys)))
    return len(gone)


def _figures(links: Iterable[Link]) -> dict[str, Any]:
    """Count the items, those with several listings, and those of several sources."""
    sources: dict[str, list[str]] = {}
    for each in links:
        sources.setdefault(each.item_id, []).append(each.listing.source)
    shared = [found for found in sources.values() if len(found) > 1]
    return {
        "items": len(sources),
        "items with several listings": len(shared),
        "items of several sources": sum(len(set(found)) > 1 for found in shared),
    }
