"""Partitions of the fact table: made without waiting for readers, and without readers waiting."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, text

from artifacts.store import Store
from pipelines.logs.ingest import ingest_logs
from sql.warehouse import partitions
from sql.warehouse.partitions import PartitionLocked, days_ahead, make_partitions, partition_name
from tests.builders.databases import schema_of
from tests.builders.events import facts, land
from tests.builders.raw_runs import kst

DAY = date(2025, 8, 6)


@contextmanager
def transaction(warehouse: Engine, statement: str) -> Iterator[Connection]:
    """Keep a transaction open after a statement; no other statement of it may wait."""
    with warehouse.connect() as conn:
        conn.execute(text("SET lock_timeout = '1s'"))
        conn.execute(text(statement))
        yield conn
        conn.rollback()


def test_an_open_query_holds_up_neither_ingestion_nor_readers(warehouse: Engine, store: Store) -> None:
    land(warehouse, kst("10:00"))
    ingest_logs(warehouse, store, None, None, now=kst("12:00"))
    days = [kst("10:00", date(2025, 8, 20)), kst("10:00", date(2024, 1, 1))]
    with transaction(warehouse, "SELECT count(*) FROM fct_user_event") as analyst:
        for received_at in days:
            land(warehouse, received_at)
        assert ingest_logs(warehouse, store, None, None, now=kst("12:00")).written == 2
        assert len(facts(warehouse)) == 3, "another reader is served"
        assert analyst.scalar(text("SELECT count(*) FROM fct_user_event")) == 3


def test_readers_are_served_while_a_partition_waits(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "ATTEMPTS", 2)
    lock = "LOCK TABLE fct_user_event IN SHARE ROW EXCLUSIVE MODE"
    with transaction(warehouse, lock) as conn, ThreadPoolExecutor() as pool:
        pid = conn.scalar(text("SELECT pg_backend_pid()"))
        made = pool.submit(make_partitions, warehouse, [DAY])
        while not made.done():
            with transaction(warehouse, "SELECT count(*) FROM fct_user_event"):
                pass
        with pytest.raises(PartitionLocked, match=f"fct_user_event_20250806 .* locked by process {pid} "):
            made.result()
    assert make_partitions(warehouse, [DAY]) == [DAY]


def test_partitions_are_made_once_and_alike(warehouse: Engine) -> None:
    days = days_ahead(DAY)
    assert make_partitions(warehouse, days) == days
    assert make_partitions(warehouse, days) == []
    for line in schema_of(warehouse):
        if line.startswith("fct_user_event.event_id"):
            assert line.replace("fct_user_event", partition_name(DAY)) in schema_of(warehouse)


def test_a_detached_partition_is_named_not_attached(warehouse: Engine) -> None:
    make_partitions(warehouse, [DAY])
    name = partition_name(DAY)
    with warehouse.begin() as conn:
        conn.execute(text(f"ALTER TABLE fct_user_event DETACH PARTITION {name}"))
    try:
        with pytest.raises(RuntimeError, match=f"table {name} is no partition"):
            make_partitions(warehouse, [DAY])
    finally:
        with warehouse.begin() as conn:
            conn.execute(text(f"DROP TABLE {name}"))
