"""What the two databases hold, in the form of the expectation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select

from pipelines.load.ledger import table_of
from sql.service import catalog
from sql.warehouse import history
from tests.month.expected_mall import MallPrice, MallProductState, Shelf
from tests.month.expected_shows import ProductKey, ProductState, ShowKey, ShowState

BROADCAST, PRODUCT = table_of(catalog.Broadcast), table_of(catalog.HomeShoppingProduct)
KOK_PRODUCT, KOK_PRICE = table_of(catalog.KokProduct), table_of(catalog.KokPrice)
FCT_BROADCAST, FCT_PRICE = table_of(history.FctBroadcast), table_of(history.FctPrice)
DIM_PRODUCT = table_of(history.DimProduct)


@dataclass(frozen=True)
class Stored:
    """Rows of one database by key. ``shelf`` is empty for the warehouse, which does not hold it."""

    database: str
    shows: dict[ShowKey, ShowState]
    products: dict[ProductKey, ProductState]
    mall_prices: dict[int, MallPrice]
    mall_products: dict[int, MallProductState]
    shelf: dict[int, Shelf]


def read_service(engine: Engine, since: datetime) -> Stored:
    """Read the service database; of the shows those that end after ``since``."""
    with engine.connect() as conn:
        columns = ("kok_product_id", "vanished_at", *MallProductState._fields)
        mall = list(conn.execute(select(*(KOK_PRODUCT.c[name] for name in columns))))
        products = conn.execute(
            select(
                *(PRODUCT.c[name] for name in ("source", "source_product_id", *ProductState._fields[1:])),
                PRODUCT.c.product_name,
            )
        ).mappings()
        return Stored(
            "service",
            _shows(conn, BROADCAST, since),
            {
                (row["source"], row["source_product_id"]): _product(row["source"], row["product_name"], row)
                for row in products
            },
            {number: MallPrice(price, rate) for number, price, rate in _newest_mall_prices(conn)},
            {number: MallProductState(*state) for number, _, *state in mall},
            {number: "on sale" if vanished_at is None else "vanished" for number, vanished_at, *_ in mall},
        )


def read_warehouse(engine: Engine, since: datetime) -> Stored:
    """Read the warehouse; of the shows those that end after ``since``."""
    with engine.connect() as conn:
        versions = {
            (row.source, row.source_product_id): row
            for row in conn.execute(select(DIM_PRODUCT).where(DIM_PRODUCT.c.valid_to.is_(None)))
        }
        prices: dict[ProductKey, Any] = {
            (row["source"], row["source_product_id"]): row
            for row in conn.execute(select(FCT_PRICE).order_by(FCT_PRICE.c.observed_at)).mappings()
        }
        unknown = {"price": None, "list_price": None, "price_kind": "unknown"}
        return Stored(
            "warehouse",
            _shows(conn, FCT_BROADCAST, since),
            {
                key: _product(key[0], row.product_name, prices.get(key, unknown))
                for key, row in versions.items()
                if key[0] != "kok"
            },
            {
                number: MallPrice(row["price"], row["discount_rate"])
                for (source, number), row in prices.items()
                # A new product whose list is held back has the list price of its page alone.
                if source == "kok" and row["price"] is not None
            },
            {
                number: MallProductState(row.product_name, row.category, None)
                for (source, number), row in versions.items()
                if source == "kok"
            },
            {},
        )


def _product(source: str, name: str, row: Any) -> ProductState:
    list_price = None if source == "hnsmall" else row["list_price"]
    return ProductState(name, row["price"], list_price, row["price_kind"])


def _shows(conn: Connection, table: Table, since: datetime) -> dict[ShowKey, ShowState]:
    names = ("channel_id", "starts_at", "source_product_id", *ShowState._fields[:-1])
    rows = conn.execute(select(*(table.c[name] for name in names), table.c.cancelled_at).where(table.c.ends_at > since))
    return {tuple(row[:3]): _show(row) for row in rows}


def _show(row: Any) -> ShowState:
    rate = row.discount_rate if row.channel_id == 1 else None
    cancelled = row.cancelled_at is not None
    return ShowState(row.ends_at, row.slot, row.title, row.price, row.list_price, row.price_kind, rate, cancelled)


def _newest_mall_prices(conn: Connection) -> Iterator[Any]:
    newest = (
        select(KOK_PRICE.c.kok_product_id, func.max(KOK_PRICE.c.observed_at).label("at"))
        .group_by(KOK_PRICE.c.kok_product_id)
        .subquery()
    )
    yield from conn.execute(
        select(KOK_PRICE.c.kok_product_id, KOK_PRICE.c.price, KOK_PRICE.c.discount_rate).join(
            newest, (KOK_PRICE.c.kok_product_id == newest.c.kok_product_id) & (KOK_PRICE.c.observed_at == newest.c.at)
        )
    )
