"""The record of a file that a load rejected: kept until both databases have loaded the file."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, inspect

from artifacts.store import Store
from crawlers.gates.holds import rejected_runs
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import table_of
from pipelines.load.sources import load_source
from pipelines.load.warehouse_history import VERSIONS
from sql.service import catalog
from tests.builders.raw_runs import kst, page, put_products, put_shows, rows, show

HOME_SHOPPING = table_of(catalog.HomeShoppingProduct)
NOON = kst("12:00")


def forget_products(engine: Engine) -> Callable[[], None]:
    """Delete the products of a database, whose pages it then rejects; return how to bring them back."""
    table = next(table for table in (HOME_SHOPPING, VERSIONS.table) if inspect(engine).has_table(table.name))
    stored = rows(engine, table, *(column.name for column in table.columns))
    with engine.begin() as conn:
        conn.execute(delete(table))

    def bring_back() -> None:
        with engine.begin() as conn:
            conn.execute(table.insert(), [dict(zip(table.columns.keys(), row, strict=True)) for row in stored])

    return bring_back


@pytest.mark.parametrize("rejecting", ["service", "warehouse"])
def test_a_rejection_of_one_database_stays_until_it_loads(
    service: Engine, warehouse: Engine, store: Store, rejecting: str
) -> None:
    def load() -> None:
        load_source("hnsmall", service, warehouse, store)

    put_shows(store, NOON, [show("20:00", "21:00", 1)])
    load()
    bring_back = forget_products(service if rejecting == "service" else warehouse)
    run = put_products(store, NOON + timedelta(hours=3), [page(1)], source="hnsmall")
    for _ in range(2):
        with pytest.raises(FileHeldBack, match="1 of 1 items rejected"):
            load()
        assert rejected_runs(store, "hnsmall", "products") == [run]
    bring_back()
    load()
    assert rejected_runs(store, "hnsmall", "products") == []
