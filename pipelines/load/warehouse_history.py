"""Histories that all sources share in the warehouse: prices, and versions of products."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select, tuple_, update

from pipelines.load.history import History, Key, Values, drop_rate_of_other_price
from pipelines.load.ledger import table_of
from sql.upsert import chunks
from sql.warehouse import history, steps

LEDGER = table_of(steps.LoadedFile)
ROUNDING = 1.0  # percentage points by which a listed rate may differ from the computed one


def _reconcile(row: Values, seen: Values, before: Values) -> Values:
    """Drop an inherited rate of another price, and an inherited list price that contradicts a new price and rate.

    A list price that was seen without the price, as when the list of a page's product is held back, changes nothing:
    the row would say that the price before was seen again.
    """
    if "price" not in seen and before["price"] is not None:
        return before
    row = drop_rate_of_other_price(row, seen, before)
    price, list_price, rate = row["price"], row["list_price"], row["discount_rate"]
    same = (price, rate) == (before["price"], before["discount_rate"])
    if same or "list_price" in seen or price is None or list_price is None:
        return row
    discount = 100 * (list_price - price) / list_price
    if discount < 0 or (rate is not None and abs(discount - rate) > ROUNDING):
        return {**row, "list_price": None}
    return row


PRICES = History(
    table_of(history.FctPrice),
    key=("source", "source_product_id"),
    time="observed_at",
    values={"price": None, "list_price": None, "price_kind": "unknown", "discount_rate": None},
    reconcile=_reconcile,
)
VERSIONS = History(
    table_of(history.DimProduct),
    key=("source", "source_product_id"),
    time="valid_from",
    values={"product_name": "", "store_name": None, "thumbnail_url": None, "category": None},
)


def close_versions(conn: Connection, changed: Iterable[Key]) -> None:
    """End each version of the changed products where the next one begins; the last one stays open."""
    table, later = VERSIONS.table, VERSIONS.table.alias("later")
    next_from = (
        select(func.min(later.c.valid_from))
        .where(*(later.c[name] == table.c[name] for name in VERSIONS.key), later.c.valid_from > table.c.valid_from)
        .correlate(table)
        .scalar_subquery()
    )
    for keys in chunks(sorted(changed)):
        conn.execute(
            update(table)
            .where(tuple_(*(table.c[name] for name in VERSIONS.key)).in_(keys))
            .where(table.c.valid_to.is_distinct_from(next_from))
            .values(valid_to=next_from)
        )
