"""What the two databases hold, in the form of the expectation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select

from pipelines.load.ledger import table_of
from sql.service import catalog
from sql.warehouse import history
from tests.month.expected_mall import MallPrice, Shelf
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
    mall_names: dict[int, str]
    shelf: dict[int, Shelf]


def read_service(engine: Engine, since: datetime) -> Stored:
    """Read the service database; of the shows those that end after ``since``."""
    with engine.connect() as conn:
        mall = conn.execute(select(KOK_PRODUCT.c.kok_product_id, KOK_PRODUCT.c.product_name, KOK_PRODUCT.c.vanished_at))
        named = list(mall)
        products = conn.execute(
            select(
                *(PRODUCT.c[name] for name in ("source", "source_product_id", *ProductState._fields[1:])),
                PRODUCT.c.product_name,
            )
        ).mappings()
        return Stored(
            "service",
            _shows(conn, BROADCAST, since),
            {(row["source"], row["source_product_id"]): _product(row["product_name"], row) for row in products},
            {number: MallPrice(price, rate) for number, price, rate in _newest_mall_prices(conn)},
            {number: name for number, name, _ in named},
            {number: "on sale" if vanished_at is None else "vanished" for number, _, vanished_at in named},
        )


def read_warehouse(engine: Engine, since: datetime) -> Stored:
    """Read the warehouse; of the shows those that end after ``since``."""
    with engine.connect() as conn:
        names = {
            (row.source, row.source_product_id): row.product_name
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
            {key: _product(name, prices.get(key, unknown)) for key, name in names.items() if key[0] != "kok"},
            {
                number: MallPrice(row["price"], row["discount_rate"])
                for (source, number), row in prices.items()
                if source == "kok"
            },
            {number: name for (source, number), name in names.items() if source == "kok"},
            {},
        )


def _product(name: str, row: Any) -> ProductState:
    list_price = None if row["source"] == "hnsmall" else row["list_price"] if "source" in row else None
    return ProductState(name, row["price"], list_price, row["price_kind"])


def _shows(conn: Connection, table: Table, since: datetime) -> dict[ShowKey, ShowState]:
    names = ("channel_id", "starts_at", "source_product_id", *ShowState._fields[:-1])
    rows = conn.execute(select(*(table.c[name] for name in names), table.c.cancelled_at).where(table.c.ends_at > since))
    return {tuple(row[:3]): ShowState(*row[3:9], cancelled=row[9] is not None) for row in rows}


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
