"""Loading schedules: shows, cancellations, and shows on air."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import DATA_VERSION, table_of
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.schedules import FCT_BROADCAST
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service import catalog
from sql.warehouse import history
from tests.builders.raw_runs import DAY, kst, put_shows, rows, show
from tests.conftest import embedded_only

PRODUCT = table_of(catalog.HomeShoppingProduct)
FCT_PRICE = table_of(history.FctPrice)
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]

Load = Callable[..., list[Report]]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="hnsmall", **options: load_source(source, service, warehouse, store, **options)


def shows(service: Engine) -> dict[tuple[int, datetime, int], int | None]:
    """Return channel, start and product of each show, with the crawl that cancelled it."""
    with service.connect() as conn:
        found = conn.execute(
            select(
                BROADCAST.c.channel_id, BROADCAST.c.starts_at, BROADCAST.c.source_product_id, BROADCAST.c.cancelled_at
            )
        )
        return {(c, at, n): None if gone is None else T.index(gone) for c, at, n, gone in found}


def test_shows_are_loaded_with_instants_and_ids(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    big = 2**31 + 5
    items = [
        show("23:50", "25:00", big, channel_id=2, title="심야 🍣", list_price=79000),
        show("23:50", "25:00", 7, channel_id=2, slot="sub", price=None, price_kind="consult"),
        show("10:00", "11:00", 7, channel_id=3, price=None, price_kind="unknown", title=None, thumbnail_url=None),
    ]
    put_shows(store, T[0], items, source="hmall", channels=(2, 3))
    report, _ = load("hmall")
    assert (report.read, report.rejected) == (3, {})
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        found = rows(engine, table, "channel_id", "starts_at", "ends_at", "source", "source_product_id", "price_kind")
        assert found == [
            (2, kst("23:50"), kst("01:00", DAY + timedelta(days=1)), "hmall", 7, "consult"),
            (2, kst("23:50"), kst("01:00", DAY + timedelta(days=1)), "hmall", big, "amount"),
            (3, kst("10:00"), kst("11:00"), "hmall", 7, "unknown"),
        ]
    assert rows(service, PRODUCT, "source", "source_product_id", "price_kind") == [
        ("hmall", 7, "consult"),
        ("hmall", big, "amount"),
    ]
    assert rows(warehouse, FCT_PRICE, "source_product_id", "list_price", "price_kind")[1] == (big, 79000, "amount")


def test_main_shows_without_subs_are_loaded(service: Engine, store: Store, load: Load) -> None:
    tomorrow = DAY + timedelta(days=1)
    items = [
        show("09:00", "10:00", 1),
        show("09:00", "10:00", 2, slot="sub"),
        show("10:00", "11:00", 3),
        show("09:00", "10:00", 4, day=tomorrow),
    ]
    put_shows(store, T[0], items, days=(DAY, tomorrow))
    load()
    assert sorted(product for _, _, product in shows(service)) == [1, 2, 3, 4]


def test_identical_content_writes_nothing_but_report_and_ledger(service: Engine, store: Store, load: Load) -> None:
    for at in T[:2]:
        put_shows(store, at, [show("09:00", "10:00", 1), show("10:00", "11:00", 2)])
        reports = load()
    assert [(report.read, report.written, report.unchanged) for report in reports] == [(2, 0, 2), (2, 0, 2)]
    with service.connect() as conn:
        assert conn.scalar(select(DATA_VERSION.c.version).where(DATA_VERSION.c.dataset == "schedule")) == 1
    assert len(rows(service, table_of(catalog.LoadedFile), "run_id")) == 2


def test_an_unlisted_show_is_cancelled_until_it_returns(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    first, second = show("09:00", "10:00", 1), show("10:00", "11:00", 2)
    one, two = (1, kst("09:00"), 1), (1, kst("10:00"), 2)
    put_shows(store, T[0], [first, second])
    load()
    ids = rows(service, BROADCAST, "broadcast_id", "source_product_id")
    put_shows(store, T[1], [first])
    load()
    assert shows(service) == {one: None, two: 1}
    put_shows(store, T[2], [first])
    load()
    assert shows(service) == {one: None, two: 1}
    put_shows(store, T[3], [first, second | {"ends_at": kst("11:30")}])
    load()
    assert shows(service) == {one: None, two: None}
    assert rows(service, BROADCAST, "broadcast_id", "source_product_id") == ids
    found = rows(warehouse, FCT_BROADCAST, "source_product_id", "ends_at", "cancelled_at")
    assert found == [(1, kst("10:00"), None), (2, kst("11:30"), None)]


def test_a_moved_show_is_cancelled_at_its_old_time(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1), show("10:00", "11:00", 2)])
    load()
    kept = rows(service, BROADCAST, "broadcast_id", "source_product_id")[1]
    put_shows(store, T[1], [show("11:00", "12:00", 1), show("10:00", "11:00", 2)])
    load()
    expected = {(1, kst("09:00"), 1): 1, (1, kst("11:00"), 1): None, (1, kst("10:00"), 2): None}
    assert shows(service) == expected
    assert kept in rows(service, BROADCAST, "broadcast_id", "source_product_id")
    put_shows(store, T[2], [show("09:00", "10:00", 1), show("10:00", "11:00", 2)])
    load()
    assert shows(service) == expected | {(1, kst("09:00"), 1): None, (1, kst("11:00"), 1): 2}
    assert len(rows(warehouse, FCT_BROADCAST, "starts_at")) == 3


def ids(service: Engine) -> dict[tuple[datetime, int], int]:
    """The id of each show that is not cancelled, by start and product."""
    columns = (BROADCAST.c.starts_at, BROADCAST.c.source_product_id, BROADCAST.c.broadcast_id)
    with service.connect() as conn:
        found = conn.execute(select(*columns).where(BROADCAST.c.cancelled_at.is_(None)))
        return {(starts_at, product): number for starts_at, product, number in found}


def test_a_moved_show_keeps_its_id_there_and_back(service: Engine, store: Store, load: Load) -> None:
    nine, ten = show("09:00", "10:00", 1), show("10:00", "11:00", 2)
    put_shows(store, T[0], [nine, ten])
    load()
    first = {product: number for (_, product), number in ids(service).items()}
    moved = show("09:30", "10:30", 1)
    for crawl, listed in enumerate(([moved, ten], [moved, ten], [nine, ten], [show("12:00", "13:00", 1), ten]), 1):
        put_shows(store, T[0] + crawl * timedelta(hours=1), listed)
        load()
        found = ids(service)
        assert {product: number for (_, product), number in found.items()} == first, f"crawl {crawl}"
        assert {starts_at for starts_at, _ in found} == {each["starts_at"] for each in listed}
    numbers = [number for (number,) in rows(service, BROADCAST, "broadcast_id")]
    assert len(set(numbers)) == len(numbers) == 4
    assert min(numbers) > 0


def test_each_airing_of_a_product_keeps_the_nearest_id(service: Engine, store: Store, load: Load) -> None:
    tomorrow = DAY + timedelta(days=1)
    put_shows(store, T[0], [show("09:00", "10:00", 1), show("15:00", "16:00", 1), show("20:00", "21:00", 2)])
    load()
    before = ids(service)
    moved = [show("09:30", "10:30", 1), show("14:30", "15:30", 1), show("20:00", "21:00", 2, day=tomorrow)]
    put_shows(store, T[1], moved, days=(DAY, tomorrow))
    load()
    after = ids(service)
    assert after[kst("09:30"), 1] == before[kst("09:00"), 1]
    assert after[kst("14:30"), 1] == before[kst("15:00"), 1]
    assert after[kst("20:00", tomorrow), 2] not in before.values(), "another day is another show"


def test_an_empty_day_cancels_nothing_even_before_there_is_a_history(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1)])
    put_shows(store, T[1], [])
    load()
    assert shows(service) == {(1, kst("09:00"), 1): None}


def test_half_a_day_cancels_nothing(service: Engine, store: Store, load: Load) -> None:
    whole = [show(f"{hour:02}:00", f"{hour:02}:50", hour) for hour in range(4, 24)]
    for at in T[:3]:
        put_shows(store, at, whole)
    load()
    put_shows(store, T[3], whole[:9])
    with pytest.raises(FileHeldBack):
        load()
    put_shows(store, T[4], whole[:9], complete=False)
    with pytest.raises(FileHeldBack):  # a day that was not read in full overtakes nothing
        load()
    assert len(shows(service)) == 20
    assert set(shows(service).values()) == {None}


def test_a_show_belongs_to_the_day_on_which_it_starts(service: Engine, store: Store, load: Load) -> None:
    tomorrow = DAY + timedelta(days=1)
    evening = show("23:40", "24:40", 1, channel_id=2)
    night = [show("00:40", "01:40", 2, channel_id=2, day=tomorrow, slot="main")]
    night += [show("00:40", "01:40", 3, channel_id=2, day=tomorrow, slot="sub")]
    put_shows(store, T[0], [evening, *night], source="hmall", channels=(2,), days=(DAY, tomorrow))
    put_shows(store, T[1], [evening], source="hmall", channels=(2,), days=(DAY,))
    load("hmall")
    assert set(shows(service).values()) == {None}
    put_shows(
        store,
        T[2],
        [show("02:00", "03:00", 4, channel_id=2, day=tomorrow)],
        source="hmall",
        channels=(2,),
        days=(tomorrow,),
    )
    load("hmall")
    assert {number: gone for (_, _, number), gone in shows(service).items()} == {1: None, 2: 2, 3: 2, 4: None}


def test_an_incomplete_scope_cancels_nothing(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1), show("10:00", "11:00", 2)])
    put_shows(store, T[1], [show("09:00", "10:00", 1)], complete=False)
    put_shows(store, T[2], [], complete=False)
    load()
    assert set(shows(service).values()) == {None}


def test_a_crawl_of_other_days_channels_and_sources_cancels_nothing(service: Engine, store: Store, load: Load) -> None:
    tomorrow = DAY + timedelta(days=1)
    put_shows(store, T[0], [show("23:50", "25:00", 1), show("00:10", "01:00", 2, day=tomorrow)], days=(DAY, tomorrow))
    put_shows(store, T[0], [show("09:00", "10:00", 3, channel_id=4)], source="nsmall", channels=(4,))
    load()
    load("nsmall")
    put_shows(store, T[1], [show("08:00", "09:00", 5, day=tomorrow)], days=(tomorrow,))
    put_shows(store, T[1], [show("08:00", "09:00", 6, channel_id=5)], source="nsmall", channels=(5,))
    load()
    load("nsmall")
    cancelled = [product for (_, _, product), gone in shows(service).items() if gone is not None]
    assert cancelled == [2]


def test_the_day_is_the_one_in_korea(service: Engine, store: Store, load: Load) -> None:
    yesterday = DAY - timedelta(days=1)
    put_shows(store, T[0], [show("23:59", "24:30", 1, day=yesterday)], days=(yesterday,))
    put_shows(store, T[0] + timedelta(seconds=1), [show("00:00", "01:00", 2), show("23:59", "24:30", 3)])
    load()
    put_shows(store, T[1], [show("12:00", "13:00", 4)])
    load()
    assert {product: gone for (_, _, product), gone in shows(service).items()} == {1: None, 2: None, 3: 1, 4: None}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_an_older_file_loaded_late_does_not_undo_a_newer_one(
    service: Engine, warehouse: Engine, store: Store, load: Load, order: tuple[int, ...]
) -> None:
    listed = [
        [show("09:00", "10:00", 1, price=100), show("10:00", "11:00", 2)],
        [show("09:00", "10:00", 1, price=200), show("11:00", "12:00", 3)],
        [show("09:00", "10:00", 1, price=300), show("10:00", "11:00", 2)],
    ]
    for crawl in order:
        put_shows(store, T[crawl], listed[crawl])
        load()
    assert {product: gone for (_, _, product), gone in shows(service).items()} == {1: None, 2: None, 3: 2}
    assert rows(service, BROADCAST, "source_product_id", "price")[0] == (1, 300)
    assert rows(service, PRODUCT, "source_product_id", "price", "first_seen_at") == [
        (1, 300, T[0]),
        (2, 59900, T[0]),
        (3, 59900, T[1]),
    ]
    prices = [row for row in rows(warehouse, FCT_PRICE, "source_product_id", "observed_at", "price") if row[0] == 1]
    assert prices == [(1, T[0], 100), (1, T[1], 200), (1, T[2], 300)]


def test_a_show_on_air_stays_the_same_show(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    before, after = show("01:00", "02:00", 1), show("03:00", "04:00", 9)
    put_shows(store, T[0] - timedelta(hours=3), [before, show("02:00", "03:00", 2), after])
    load()
    ids = rows(service, BROADCAST, "broadcast_id", "source_product_id")
    for minutes in (0, 20, 40):
        put_shows(store, T[0] + timedelta(minutes=minutes), [before, show(None, "03:00", 2), after])
        report, in_warehouse = load()
        assert (report.written, in_warehouse.written) == (0, 0)
    assert rows(service, BROADCAST, "broadcast_id", "source_product_id") == ids
    assert set(shows(service).values()) == {None}
    assert len(rows(warehouse, FCT_BROADCAST, "starts_at")) == 3


def test_an_unknown_show_on_air_starts_at_the_last_end(service: Engine, store: Store, load: Load) -> None:
    items = [
        show("00:30", "01:40", 1),
        show(None, "03:00", 2),
        show(None, "03:00", 3, slot="sub"),
        show("03:00", "04:00", 4),
        show("01:00", "02:00", 5, channel_id=4),
    ]
    put_shows(store, T[0], items)
    load()
    assert (1, kst("01:40"), 2) in shows(service)
    assert (1, kst("01:40"), 3) in shows(service)
    put_shows(store, T[0] + timedelta(minutes=30), items)
    load()
    assert len(shows(service)) == 5
    assert set(shows(service).values()) == {None}


def test_a_start_that_was_hidden_is_corrected_when_listed(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    before = show("00:30", "01:20", 1)
    put_shows(store, T[0], [before, show(None, "03:00", 2), show(None, "03:00", 3, slot="sub")])
    load()
    put_shows(store, T[1], [before, show("01:30", "03:00", 2), show("01:30", "03:00", 3, slot="sub")])
    load()
    starts = {"00:30": [None], "01:20": [T[1], T[1]], "01:30": [None, None]}
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        found = rows(engine, table, "starts_at", "cancelled_at")
        assert {start: [gone for at, gone in found if at == kst(start)] for start in starts} == starts


def test_a_product_added_to_a_known_show_on_air_joins_it(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0] - timedelta(hours=2), [show("01:30", "03:00", 2)])
    put_shows(store, T[0], [show(None, "03:00", 2), show(None, "03:00", 8, slot="sub")])
    load()
    assert shows(service) == {(1, kst("01:30"), 2): None, (1, kst("01:30"), 8): None}


@pytest.mark.parametrize("end", ["03:10", "02:50"])
def test_a_show_on_air_whose_end_moves_stays_the_same_show(service: Engine, store: Store, load: Load, end: str) -> None:
    before, after = show("01:00", "02:00", 1), show("04:00", "05:00", 9)
    put_shows(store, T[0] - timedelta(hours=3), [before, show("02:00", "03:00", 2), after])
    load()
    ids = rows(service, BROADCAST, "broadcast_id", "source_product_id")
    put_shows(store, T[0], [before, show(None, end, 2), show(None, end, 3, slot="sub"), after])
    load()
    assert set(ids) < set(rows(service, BROADCAST, "broadcast_id", "source_product_id"))
    assert set(shows(service).values()) == {None}
    assert rows(service, BROADCAST, "source_product_id", "starts_at", "ends_at")[1:3] == [
        (2, kst("02:00"), kst(end)),
        (3, kst("02:00"), kst(end)),
    ]


def test_an_earlier_airing_of_a_product_is_not_the_one_on_air(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, kst("00:30"), [show("00:00", "01:00", 2), show("01:00", "02:00", 1)])
    load()
    put_shows(store, T[0], [show("00:00", "01:00", 2), show("01:00", "02:00", 1), show(None, "03:00", 2)])
    load()
    assert (1, kst("02:00"), 2) in shows(service)
    assert len(shows(service)) == 3
    assert set(shows(service).values()) == {None}


def test_a_show_on_air_over_midnight_belongs_to_the_day_before(service: Engine, store: Store, load: Load) -> None:
    yesterday = DAY - timedelta(days=1)
    put_shows(store, kst("20:00", yesterday), [show("23:50", "25:00", 1, day=yesterday)], days=(yesterday,))
    put_shows(store, kst("00:20"), [show(None, "01:00", 1), show("01:00", "02:00", 2)])
    load()
    assert set(shows(service)) == {(1, kst("23:50", yesterday), 1), (1, kst("01:00"), 2)}


def test_a_show_on_air_without_any_before_it_is_rejected_and_kept(service: Engine, store: Store, load: Load) -> None:
    others = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(4, 24)]
    put_shows(store, kst("23:00", DAY - timedelta(days=1)), [show("01:00", "03:30", 1), *others])
    load()
    put_shows(store, T[0], [show(None, "03:00", 99, channel_id=5), *others], channels=(1, 5))
    report, _ = load()
    assert report.rejected == {"on air since an unknown time": 1}
    assert report.rejects[0]["item"]["source_product_id"] == 99
    assert store.exists(report.rejects_key)


def test_a_scope_with_a_rejected_item_cancels_nothing(service: Engine, store: Store, load: Load) -> None:
    others = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(4, 24)]
    put_shows(store, T[0], [show("03:00", "03:30", 1), *others])
    load()
    put_shows(store, T[1], [show("03:00", "03:30", 1) | {"price": 0}, *others])
    report, _ = load()
    assert report.rejected == {"invalid item": 1}
    assert set(shows(service).values()) == {None}


def test_one_product_as_main_and_sub_of_a_show_is_one_row(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1, slot="sub"), show("09:00", "10:00", 1)])
    report, _ = load()
    assert report.rejected == {}
    assert rows(service, BROADCAST, "source_product_id", "slot") == [(1, "main")]


def test_two_sources_may_share_a_product_id(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 5)])
    put_shows(store, T[0], [show("09:00", "10:00", 5, channel_id=4)], source="nsmall", channels=(4,))
    load()
    load("nsmall")
    assert rows(service, PRODUCT, "source", "source_product_id") == [("hnsmall", 5), ("nsmall", 5)]
    assert len(shows(service)) == 2


def test_a_price_on_request_keeps_its_kind(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1, price=None, price_kind="consult")])
    load()
    assert rows(service, BROADCAST, "price_kind") == [("consult",)]
    with service.connect() as conn:
        assert conn.execute(select(BROADCAST.c.price, BROADCAST.c.list_price)).one() == (None, None)
    assert rows(warehouse, FCT_PRICE, "price_kind") == [("consult",)]


def test_prices_that_could_not_be_read_stay_as_they_are(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    listed = [show("09:00", "10:00", number, list_price=99000) for number in range(1, 9)]
    put_shows(store, T[0], listed)
    unread = {
        "price": None,
        "price_kind": "unknown",
        "list_price": None,
        "unread": ["price", "price_kind", "list_price"],
    }
    new = show("10:00", "11:00", 9, title="새 방송")
    put_shows(store, T[1], [row | unread | {"title": "다른 제목"} for row in (*listed, new)], complete=False)
    load()
    priced = [(number, 59900, 99000) for number in range(1, 9)]
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        found = rows(engine, table, "source_product_id", "price_kind")
        assert found == [*((number, "amount") for number in range(1, 9)), (9, "unknown")]
        with engine.connect() as conn:
            known = select(table.c.source_product_id, table.c.price, table.c.list_price).where(
                table.c.source_product_id < 9
            )
            assert sorted(map(tuple, conn.execute(known))) == priced
        assert {title for (title,) in rows(engine, table, "title")} == {"다른 제목"}
    with service.connect() as conn:
        products = conn.execute(select(PRODUCT.c.source_product_id, PRODUCT.c.price).order_by("source_product_id"))
        assert [tuple(row) for row in products] == [*((number, 59900) for number in range(1, 9)), (9, None)]


def test_a_rate_that_could_not_be_read_goes_with_its_price(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    listed = [show("09:00", "10:00", number, discount_rate=10) for number in (1, 2)]
    put_shows(store, T[0], listed)
    cheaper = [listed[0], listed[1] | {"price": 49900}]
    put_shows(store, T[1], [row | {"discount_rate": None, "unread": ["discount_rate"]} for row in cheaper])
    load()
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        with engine.connect() as conn:
            found = conn.execute(select(table.c.price, table.c.discount_rate).order_by(table.c.source_product_id))
            assert list(map(tuple, found)) == [(59900, 10), (49900, None)]


def test_only_food_counts_as_food(service: Engine, store: Store, load: Load) -> None:
    items = [
        show("09:00", "10:00", 1, product_name="[산지직송] 국내산 감자 5kg"),
        show("10:00", "11:00", 2, product_name="르베라쥬 앰플 마스크팩 100매"),
    ]
    put_shows(store, T[0], items)
    load()
    assert rows(service, PRODUCT, "source_product_id", "is_food") == [(1, True), (2, False)]


def test_overlapping_crawls_do_not_cancel_each_others_shows(service: Engine, store: Store, load: Load) -> None:
    listed = [show("09:00", "10:00", 1), show("10:00", "11:00", 2)]
    put_shows(store, T[0], listed)
    put_shows(store, T[0], listed[:1], complete=False)
    put_shows(store, T[0] + timedelta(seconds=1), listed)
    load()
    assert set(shows(service).values()) == {None}


def test_a_show_far_ahead_is_loaded(service: Engine, store: Store, load: Load) -> None:
    far = date(2031, 1, 1)
    put_shows(store, T[0], [show("25:10", "26:00", 1, day=far, requested_day=far + timedelta(days=1))], days=(far,))
    load()
    assert list(shows(service)) == [(1, kst("01:10", far + timedelta(days=1)), 1)]


@embedded_only
def test_prices_of_a_past_day_are_no_prices_of_today(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1, price=100)])
    put_shows(store, T[0] + timedelta(days=2), [show("09:00", "10:00", 1, price=70)])
    load()
    assert rows(service, PRODUCT, "source_product_id", "price") == [(1, 100)]
    assert rows(warehouse, FCT_PRICE, "source_product_id", "price") == [(1, 100)]
    assert rows(service, BROADCAST, "source_product_id", "price") == [(1, 70)]
