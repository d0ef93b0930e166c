"""Common faults of loading: each test fails on a load step with the fault."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select

from artifacts.raw import ITEMS, REPORT
from artifacts.store import Store
from pipelines.load.item_validator import ItemValidator
from pipelines.load.kok_pages import REVIEW
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.products import HOME_SHOPPING, KOK_PRODUCT
from pipelines.load.schedules import FCT_BROADCAST
from pipelines.load.sources import load_source
from pipelines.load.warehouse_history import PRICES
from pipelines.report import Report
from tests.builders.raw_runs import (
    DAY,
    kst,
    page,
    price,
    product,
    put_prices,
    put_products,
    put_shows,
    review,
    rows,
    show,
)

Load = Callable[..., list[Report]]
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="hnsmall", **options: load_source(source, service, warehouse, store, **options)


def cancelled(service: Engine) -> list[int]:
    """Return the products of cancelled shows."""
    with service.connect() as conn:
        found = conn.scalars(select(BROADCAST.c.source_product_id).where(BROADCAST.c.cancelled_at.is_not(None)))
        return sorted(found)


def test_overlapping_or_failed_crawls_cancel_no_show(service: Engine, store: Store, load: Load) -> None:
    """A crawl that did not or could not fetch a page cancels nothing that another crawl saw."""
    whole = [show(f"{hour:02}:00", f"{hour:02}:50", hour) for hour in range(4, 24)]
    slow = [show("04:00", "04:50", 4)]
    put_shows(store, T[1], whole)
    load()
    put_shows(store, T[1] - timedelta(minutes=20), slow)  # began earlier, and ended later
    load(accept=True)
    put_shows(store, T[2], slow, complete=False)
    put_shows(store, T[3], [], complete=False)
    killed = put_shows(store, T[4], slow)
    store.delete(killed.stem + REPORT)  # the report is written last
    load(accept=True)
    assert store.exists(killed.stem + ITEMS)
    assert cancelled(service) == []


def test_prices_of_products_on_air_follow_every_crawl(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    """The price of a page that was fetched once does not outlive later schedules."""
    for at, won in zip(T, (59900, 49900, 49900, 59900), strict=False):
        put_shows(store, at, [show("09:00", "10:00", 1, price=won)])
        if at == T[0]:
            put_products(store, at, [page(1, price=won, list_price=79000)], source="hnsmall")
        load()
        assert rows(service, HOME_SHOPPING, "price", "list_price") == [(won, 79000)]
    assert rows(warehouse, PRICES.table, "observed_at", "price") == [(T[0], 59900), (T[1], 49900), (T[3], 59900)]


def test_ids_beyond_32_bits_are_kept(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    ids = [2_147_483_647, 2_147_483_648, 2_234_340_850, 2**40]
    items = [show(f"{9 + n:02}:00", f"{9 + n:02}:50", number, channel_id=2) for n, number in enumerate(ids)]
    put_shows(store, T[0], items, source="hmall", channels=(2,))
    put_products(store, T[0], [page(number, images=["https://image/1"]) for number in ids], source="hmall")
    load("hmall")
    for engine, table in ((service, BROADCAST), (service, HOME_SHOPPING), (warehouse, FCT_BROADCAST)):
        assert [number for (number,) in rows(engine, table, "source_product_id")] == ids


def test_a_show_past_24_o_clock_has_its_times_and_can_be_cancelled(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    """24:30 and 25:10 are times of the next day, never NULL, and such shows can be cancelled."""
    tomorrow = DAY + timedelta(days=1)
    late = [show("24:30", "25:10", 1, requested_day=tomorrow), show("25:10", "26:00", 2, requested_day=tomorrow)]
    put_shows(store, T[0], [*late, show("03:00", "04:00", 3, day=tomorrow)], days=(tomorrow,))
    load()
    assert rows(service, BROADCAST, "starts_at", "ends_at")[:2] == [
        (kst("00:30", tomorrow), kst("01:10", tomorrow)),
        (kst("01:10", tomorrow), kst("02:00", tomorrow)),
    ]
    put_shows(store, T[1], late, days=(tomorrow,))
    load()
    assert cancelled(service) == [3]
    for table in (BROADCAST, FCT_BROADCAST):
        assert not table.c.starts_at.nullable
        assert not table.c.ends_at.nullable


def test_an_unknown_price_is_not_zero_and_a_list_price_is_no_price(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1, price=None, price_kind="unknown", list_price=79000)])
    put_prices(store, T[0], [price(1, None, 0, "unknown")])
    put_products(store, T[0], [product(1, list_price=2000)])
    load()
    load("kok")
    for engine, table in ((service, BROADCAST), (service, HOME_SHOPPING), (warehouse, FCT_BROADCAST)):
        assert rows(engine, table, "price", "list_price", "price_kind") == [(None, 79000, "unknown")]
    assert rows(warehouse, PRICES.table, "source", "price", "list_price", "price_kind") == [
        ("hnsmall", None, 79000, "unknown"),
        ("kok", None, 2000, "unknown"),
    ]


def test_every_item_is_loaded_or_rejected(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    """Each item of a raw file is in a table or counted as repeated or rejected, with the reason."""
    days = [DAY + timedelta(days=ahead) for ahead in range(10)]
    items = [show(f"{hour:02}:00", f"{hour:02}:50", hour, day=day) for day in days for hour in range(4, 24)]
    items += [items[0], items[1] | {"slot": "sub"}, items[2] | {"price": 1}, items[3] | {"source_product_id": 0}]
    put_shows(store, T[0], items, days=days)
    reports = load()
    for report, engine, table in zip(reports, (service, warehouse), (BROADCAST, FCT_BROADCAST), strict=True):
        assert report.rejected == {"contradicts another item": 1, "invalid item": 1}
        assert (report.details["landed"], report.details["repeated"]) == (_count(engine, table), 2)
        assert report.read == len(items) == _count(engine, table) + 2 + 2
        assert store.exists(report.rejects_key)
    put_products(store, T[0], [product(n) for n in range(1, 80)] + [product(1), product(90) | {"store_name": ""}])
    report, _ = load("kok")
    assert (
        report.read == 81 == _count(service, KOK_PRODUCT) + report.details["repeated"] + report.rejected["invalid item"]
    )


def test_a_load_that_loses_items_fails(
    service: Engine, store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that drops items silently fails before it writes."""
    monkeypatch.setattr(ItemValidator, "unique", lambda _, items, *__: list(items)[1:])
    put_products(store, T[0], [product(1), product(2)])
    with pytest.raises(RuntimeError, match="1 of 2 items neither land nor are rejected"):
        load("kok")
    assert _count(service, KOK_PRODUCT) == 0


def test_reviews_that_share_nickname_and_date_are_all_kept(service: Engine, store: Store, load: Load) -> None:
    """Masked nicknames and dates repeat: across products, on one page, with the same text."""
    shared = {"nickname": "김**", "written_on": date(2025, 8, 1)}
    reviews = [review("맛있어요", **shared), review("별로예요", **shared), review("맛있어요", **shared, score=4)]
    pages = [product(number, reviews=[*reviews, reviews[0]]) for number in (1, 2)]
    for at in T[:2]:
        put_products(store, at, pages)
        report, _ = load("kok")
    assert report.written == 0
    expected = sorted((number, each["text"], each["score"]) for number in (1, 2) for each in [*reviews, reviews[0]])
    assert rows(service, REVIEW, "kok_product_id", "text", "score") == expected


def _count(engine: Engine, table: object) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]
