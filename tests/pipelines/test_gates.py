"""Gates: a broken file changes nothing until a person accepts it."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.load.gates import GateBroken
from pipelines.load.ledger import table_of
from pipelines.load.schedules import BROADCAST
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service import catalog
from sql.warehouse import steps
from tests.pipelines.raw import DAY, Item, kst, price, put_prices, put_shows, rows, show

PRICE, LEDGER = table_of(catalog.KokPrice), table_of(catalog.LoadedFile)
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]

Load = Callable[..., list[Report]]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="hnsmall", **options: load_source(source, service, warehouse, store, **options)


def shows(count: int, day: date = DAY) -> list[Item]:
    return [show(f"{hour:02}:00", f"{hour:02}:30", hour + 1, day=day) for hour in range(count)]


def test_too_many_rejects(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(1)] * 2 + [price(n) for n in range(2, 19)] + [price(0)])
    load("kok")
    before = rows(service, PRICE, "kok_product_id")
    assert len(before) == 18
    put_prices(store, T[1], [price(n, 500) for n in range(1, 17)] + [price(0)])
    with pytest.raises(GateBroken, match=r"1 of 17 items rejected \(1 invalid item\).*ukok load kok --accept"):
        load("kok")
    assert rows(service, PRICE, "kok_product_id") == before
    assert len(rows(service, LEDGER, "run_id")) == 1
    kept = rows(warehouse, table_of(steps.StepRun), "step", "status", "rows_written")
    assert kept[1:3] == [("load_kok", "failed", 0), ("load_kok_history", "done", 18)]
    assert "1 of 17 items rejected" in str(rows(warehouse, table_of(steps.StepRun), "status", "error")[-1])
    load("kok", accept=True)
    assert len(rows(service, PRICE, "kok_product_id")) == 18 + 16


def test_a_complete_scope_that_shrinks_to_less_than_half(service: Engine, store: Store, load: Load) -> None:
    for at, count in zip(T, (10, 12, 11), strict=False):
        put_shows(store, at, shows(count))
    put_shows(store, T[3], shows(5))
    with pytest.raises(GateBroken, match=r"5 items for channel_id 1, days ahead 0, usually 11"):
        load()
    found = rows(service, BROADCAST, "source_product_id")
    assert len(found) == 12
    load(accept=True)
    assert len(rows(service, LEDGER, "run_id")) == 4


def test_half_is_enough_and_two_runs_are_no_history(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], shows(10))
    put_shows(store, T[1], shows(10))
    put_shows(store, T[2], shows(1))
    put_shows(store, T[3], shows(5))
    load()
    assert len(rows(service, LEDGER, "run_id")) == 4


def test_days_are_compared_with_days_equally_far_ahead(service: Engine, store: Store, load: Load) -> None:
    """A far day has few shows yet; that is no reason to hold back a file."""
    far = DAY + timedelta(days=10)
    for crawl in range(3):
        at, day = T[0] + timedelta(days=crawl), far + timedelta(days=crawl)
        today = DAY + timedelta(days=crawl)
        put_shows(store, at, shows(20, today) + shows(2, day), days=(today, day))
    load()
    today, day = DAY + timedelta(days=3), far + timedelta(days=3)
    put_shows(store, T[0] + timedelta(days=3), shows(20, today) + shows(1, day), days=(today, day))
    load()
    put_shows(store, T[1] + timedelta(days=3), shows(20, today), days=(today, day))
    with pytest.raises(GateBroken, match="0 items for channel_id 1, days ahead 10, usually 2"):
        load()


def test_an_incomplete_scope_may_be_small(service: Engine, store: Store, load: Load) -> None:
    for at in T[:3]:
        put_shows(store, at, shows(10))
    put_shows(store, T[3], shows(1), complete=False)
    load()
    assert len(rows(service, LEDGER, "run_id")) == 4


def test_a_category_that_shrinks_is_held_back(service: Engine, store: Store, load: Load) -> None:
    cards = [price(n) for n in range(10)[1:]]
    for at in T[:3]:
        put_prices(store, at, cards)
    put_prices(store, T[3], cards[:4])
    with pytest.raises(GateBroken, match="4 items for category 1611, usually 9"):
        load("kok")
    assert len(rows(service, LEDGER, "run_id")) == 3


def test_a_file_held_back_does_not_hold_back_the_next_and_is_accepted_in_its_place(
    service: Engine, store: Store, load: Load
) -> None:
    for at in T[:3]:
        put_shows(store, at, shows(10))
    put_shows(store, T[3], shows(3))
    put_shows(store, T[4], shows(11))
    with pytest.raises(GateBroken, match="3 items"):
        load()
    assert len(rows(service, BROADCAST, "source_product_id")) == 11
    reports = load()  # newer files have overtaken it: no failure for ever, but it stays in the Reports
    assert "3 items" in str(reports[0].details["held back, but newer files are loaded"])
    load(accept=True)
    found = rows(service, BROADCAST, "source_product_id", "cancelled_at")
    assert {gone for _, gone in found} == {None}
    assert len(rows(service, LEDGER, "run_id")) == 5
