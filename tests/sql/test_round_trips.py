"""Values read equal values written, on every engine."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table, insert, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from sql.service.base import ServiceBase
from sql.service.catalog import Channel, HomeShoppingProduct, KokPrice, KokProduct
from sql.service.recipes import Ingredient
from sql.upsert import Counts, upsert
from sql.warehouse.base import WarehouseBase
from sql.warehouse.history import FctPrice
from ukok.korea import KST

AT = datetime(2025, 8, 6, 0, 30, 15, 123456, tzinfo=KST)


@pytest.fixture(params=["service", "warehouse"])
def prices(
    request: pytest.FixtureRequest, service: Engine, warehouse: Engine
) -> Iterator[tuple[Engine, Table, dict[str, Any]]]:
    """The price table of either database, with its additional columns."""
    engine = service if request.param == "service" else warehouse
    if request.param == "service":
        yield engine, KokPrice.__table__, {"key": "kok_product_id", "extra": {}}  # type: ignore[misc]
    else:
        yield engine, FctPrice.__table__, {"key": "source_product_id", "extra": {"source": "kok", "list_price": None}}  # type: ignore[misc]


def test_an_instant_an_id_and_an_unknown_price_come_back(prices: tuple[Engine, Table, dict[str, Any]]) -> None:
    engine, table, names = prices
    big = 2**31 + 2_234_340_850
    row = {names["key"]: big, "observed_at": AT, "price": None, "price_kind": "unknown", "discount_rate": 0}
    with engine.begin() as conn:
        conn.execute(insert(table), row | names["extra"])
        read = conn.execute(select(table.c[names["key"]], table.c.observed_at, table.c.price)).one()
    assert read[0] == big
    assert read.observed_at == AT
    assert read.observed_at.utcoffset() == timedelta(0)
    assert read.observed_at.microsecond == 123456
    assert read.price is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_any_instant_comes_back(service: Engine, at: datetime) -> None:
    with service.connect() as conn:
        conn.execute(
            insert(KokPrice), {"kok_product_id": 1, "observed_at": at, "price_kind": "unknown", "discount_rate": 0}
        )
        assert conn.scalar(select(KokPrice.observed_at)) == at
        conn.rollback()


def test_a_naive_time_is_refused(prices: tuple[Engine, Table, dict[str, Any]]) -> None:
    engine, table, names = prices
    row = {names["key"]: 1, "observed_at": AT.replace(tzinfo=None), "price_kind": "unknown", "discount_rate": 0}
    with engine.begin() as conn, pytest.raises(StatementError, match="naive datetime"):
        conn.execute(insert(table), row | names["extra"])


def test_names_are_compared_byte_by_byte(service: Engine) -> None:
    names = ["🍣", "🍺", "Café", "Cafe", "cafe", "김치", "김치 ", '한돈 삼겹살 <1+1> & "특가"']
    with service.begin() as conn:
        conn.execute(insert(Ingredient), [{"name": name} for name in names])
        assert sorted(conn.scalars(select(Ingredient.name))) == sorted(names)
        for name in names:
            assert conn.scalars(select(Ingredient.name).where(Ingredient.name == name)).all() == [name]


def test_a_text_too_long_for_its_column_is_refused_not_cut(service: Engine) -> None:
    with service.begin() as conn, pytest.raises(DataError):
        conn.execute(insert(Ingredient), {"name": "가" * 300})


def test_a_stored_time_is_never_null(service: Engine) -> None:
    with service.begin() as conn, pytest.raises((IntegrityError, StatementError)):
        conn.execute(
            insert(KokPrice), {"kok_product_id": 1, "observed_at": None, "price_kind": "unknown", "discount_rate": 0}
        )


def test_the_isolation_level_is_read_committed(service: Engine, warehouse: Engine) -> None:
    for engine in (service, warehouse):
        with engine.connect() as conn:
            assert conn.get_isolation_level() == "READ COMMITTED"


def test_the_channels_are_there(service: Engine) -> None:
    with service.connect() as conn:
        rows = conn.execute(select(Channel.channel_id, Channel.source).order_by(Channel.channel_id)).all()
    assert [row.channel_id for row in rows] == list(range(1, 18))
    assert [row.source for row in rows if row.source] == ["hnsmall", "hmall", "hmall", "nsmall", "nsmall"]


PRODUCT = {
    "source": "hmall",
    "source_product_id": 2_234_340_850,
    "product_name": "한돈 삼겹살 🥓",
    "store_name": None,
    "list_price": None,
    "price": 9_900,
    "price_kind": "amount",
    "thumbnail_url": None,
    "first_seen_at": AT,
    "is_food": True,
    "is_ingredient": True,
    "resolver_version": "1",
}
CHANGING = ("product_name", "price", "price_kind", "list_price")


def test_an_upsert_writes_only_what_differs(service: Engine) -> None:
    table: Table = HomeShoppingProduct.__table__  # type: ignore[assignment]
    rows = [PRODUCT | {"source_product_id": number} for number in range(2500)]
    with service.begin() as conn:
        assert upsert(conn, table, rows, update_columns=CHANGING) == Counts(inserted=2500)
        assert upsert(conn, table, rows, update_columns=CHANGING) == Counts(unchanged=2500)
        rows[3] |= {"price": None, "price_kind": "unknown"}
        rows[4] |= {"product_name": "한돈 삼겹살 🍺", "first_seen_at": AT + timedelta(days=1)}
        rows[5] |= {"first_seen_at": AT + timedelta(days=1)}  # not among the columns that change
        assert upsert(conn, table, rows, update_columns=CHANGING) == Counts(updated=2, unchanged=2498)
        read = {row.source_product_id: row for row in conn.execute(select(table))}
    assert read[3].price is None
    assert read[4].product_name == "한돈 삼겹살 🍺"
    assert read[4].first_seen_at == read[5].first_seen_at == AT


def test_an_upsert_by_another_key_keeps_the_generated_id(service: Engine) -> None:
    table: Table = Ingredient.__table__  # type: ignore[assignment]
    with service.begin() as conn:
        upsert(conn, table, [{"name": "감자"}, {"name": "양파"}], key=["name"], update_columns=[])
        first = {row.name: row.ingredient_id for row in conn.execute(select(table))}
        counts = upsert(conn, table, [{"name": "양파"}, {"name": "대파"}], key=["name"], update_columns=[])
        then = {row.name: row.ingredient_id for row in conn.execute(select(table))}
    assert counts == Counts(inserted=1, unchanged=1)
    assert then["양파"] == first["양파"]


def test_an_upsert_refuses_two_rows_with_one_key(service: Engine) -> None:
    with service.begin() as conn, pytest.raises(ValueError, match="repeat a key"):
        upsert(conn, HomeShoppingProduct.__table__, [PRODUCT, PRODUCT], update_columns=CHANGING)  # type: ignore[arg-type]


def test_a_product_has_one_price_per_instant(service: Engine) -> None:
    row = {"kok_product_id": 1, "observed_at": AT, "price": 1, "price_kind": "amount", "discount_rate": 0}
    with service.begin() as conn:
        conn.execute(insert(KokPrice), row)
        with pytest.raises(IntegrityError):
            conn.execute(insert(KokPrice), row)


def test_ids_are_64_bit_everywhere() -> None:
    narrow = [
        f"{table.name}.{column.name}"
        for metadata in (ServiceBase.metadata, WarehouseBase.metadata)
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_id") and str(column.type) == "INTEGER"
    ]
    assert narrow == []
    assert KokProduct.__table__.c.kok_product_id.type.python_type is int
