"""The example queries for analysts."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from sql.warehouse import queries
from sql.warehouse.history import DimProduct, FctBroadcast, ProductItem
from tests.builders.raw_runs import kst

ON_AIR = text((Path(queries.__file__).parent / "on_air.sql").read_text(encoding="utf-8"))


def show(channel: int, start: str, end: str, product: int, **changes: object) -> dict[str, Any]:
    key = {"channel_id": channel, "starts_at": kst(start), "source": "hnsmall", "source_product_id": product}
    return key | {"ends_at": kst(end), "slot": "main", "price_kind": "unknown", "cancelled_at": None} | changes


@pytest.fixture
def schedule(warehouse: Engine) -> Engine:
    shows = [
        show(1, "10:00", "11:00", 1),
        show(1, "10:00", "11:00", 2, slot="sub"),
        show(1, "10:00", "11:00", 3, slot="sub", cancelled_at=kst("09:00")),
        show(1, "11:30", "12:00", 4, cancelled_at=kst("09:00")),
        show(1, "12:00", "13:00", 4),
        show(2, "23:50", "25:00", 5),
    ]
    version = {"source": "hnsmall", "source_product_id": 1, "valid_from": kst("01:00")}
    with warehouse.begin() as conn:
        conn.execute(insert(FctBroadcast), shows)
        conn.execute(insert(DimProduct), version | {"product_name": "감자", "valid_to": kst("02:00")})
        conn.execute(insert(DimProduct), version | {"product_name": "햇감자", "valid_from": kst("02:00")})
        item = {"source": "hnsmall", "source_product_id": 1, "item_id": "kok:7", "score": 1.0, "method": "title"}
        conn.execute(insert(ProductItem), item)
    return warehouse


def on_air(schedule: Engine, at: datetime) -> list[tuple[Any, ...]]:
    with schedule.connect() as conn:
        rows = conn.execute(ON_AIR, {"at": at}).all()
    return [(row.channel_id, row.which, row.source_product_id) for row in rows]


def test_on_air_lists_current_and_next_shows(schedule: Engine) -> None:
    ten, moment = kst("10:00"), timedelta(microseconds=1)
    coming = (2, "next", 5)
    assert on_air(schedule, ten - moment) == [(1, "next", 1), (1, "next", 2), coming]
    assert on_air(schedule, ten) == [(1, "now", 1), (1, "now", 2), (1, "next", 4), coming]
    assert on_air(schedule, kst("11:00")) == [(1, "next", 4), coming], "the end is not part of the show"
    assert on_air(schedule, kst("24:30")) == [(2, "now", 5)], "over midnight"
    assert on_air(schedule, kst("25:00")) == []


def test_on_air_gives_the_product_and_its_item(schedule: Engine) -> None:
    with schedule.connect() as conn:
        first, second, *_ = conn.execute(ON_AIR, {"at": kst("10:00")}).all()
    assert (first.product_name, first.item_id, first.slot) == ("햇감자", "kok:7", "main")
    assert (second.product_name, second.item_id) == (None, None)
