"""Loading what the gates let through: scope by scope, until a person accepts the rest or newer files overtake it."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect, select
from structlog.testing import capture_logs

from artifacts.raw import REPORT, RawRun, UnreadableReport
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.registry import sources
from crawlers.report.faults import read_faults
from crawlers.report.figures import gather
from crawlers.report.page import render
from crawlers.report.run_index import find_crawl
from crawlers.runner.crawl import crawl
from crawlers.standin.faults import half_day, renamed
from crawlers.standin.server import Standin, running_standin
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import table_of
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.schedules import FCT_BROADCAST
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service import catalog
from sql.warehouse import steps
from tests.builders import small_crawl
from tests.builders.raw_runs import (
    DAY,
    Item,
    gate_of,
    kst,
    page,
    price,
    product,
    put,
    put_prices,
    put_products,
    put_shows,
    rows,
    scope,
    show,
)
from tests.conftest import embedded_only

PRICE, PRODUCT = table_of(catalog.KokPrice), table_of(catalog.KokProduct)
HOME_SHOPPING = table_of(catalog.HomeShoppingProduct)
LEDGER, STEP_RUN = table_of(catalog.LoadedFile), table_of(steps.StepRun)
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]
TOMORROW = DAY + timedelta(days=1)
DAYS = (DAY, TOMORROW)

Load = Callable[..., list[Report]]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="hnsmall", **options: load_source(source, service, warehouse, store, **options)


def shows(day: date, hours: range = range(24), price: int = 59900) -> list[Item]:
    number = 100 * (day - DAY).days
    return [show(f"{hour:02}:00", f"{hour + 1:02}:00", number + hour + 1, day=day, price=price) for hour in hours]


def ledger(engine: Engine) -> dict[str, tuple[str, str | None]]:
    """Return status and held scopes of each file in the ledger."""
    found = rows(engine, LEDGER, "run_id", "status")
    with engine.connect() as conn:
        held = dict(conn.execute(select(LEDGER.c.run_id, LEDGER.c.held_scopes)).all())
    return {run_id: (status, held[run_id]) for run_id, status in found}


def cancelled(engine: Engine) -> set[int]:
    """Return the products of cancelled shows of the service database or the warehouse."""
    table = BROADCAST if inspect(engine).has_table(BROADCAST.name) else FCT_BROADCAST
    with engine.connect() as conn:
        return set(conn.scalars(select(table.c.source_product_id).where(table.c.cancelled_at.is_not(None))))


def test_sound_days_are_loaded_without_the_one_held_back(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_shows(store, T[0], [*shows(DAY), *shows(TOMORROW)], days=DAYS)
    load()
    changed = [*shows(DAY, price=100), *shows(TOMORROW, range(14), price=100)]
    run = put_shows(store, T[1], changed, days=DAYS)
    put_products(store, T[1], [page(105, description="읽은 쪽")], source="hnsmall")
    label = f"channel_id 1, day {TOMORROW}"
    with pytest.raises(FileHeldBack) as held:
        load(now=T[2])
    message = str(held.value)
    for part in (
        f"hnsmall/schedule {run.run_id} (crawled 3 h ago): 1 of 2 scopes held back: {label}: nothing is listed from ",
        "Its other scopes are loaded",
        f"`ukok crawl show-fault {run.run_id}`",
        "`ukok load hnsmall --accept`",
    ):
        assert part in message
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        found = dict(rows(engine, table, "source_product_id", "price"))
        assert {found[number] for number in range(1, 25)} == {100}
        assert {found[number] for number in range(101, 125)} == {59900}
    assert cancelled(service) == set()
    assert ledger(service)[run.run_id] == ledger(warehouse)[run.run_id] == ("loaded", label)
    described = dict(rows(service, HOME_SHOPPING, "source_product_id", "store_name"))
    assert described[105] == "햇살식품"  # a product page of the day that is held back
    failed = [row for row in rows(warehouse, STEP_RUN, "step", "status") if row[1] == "failed"]
    assert [step for step, _ in failed] == ["load_hnsmall", "load_hnsmall_history"]


def test_an_accepted_day_is_loaded_in_its_place(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [*shows(DAY), *shows(TOMORROW)], days=DAYS)
    put_shows(store, T[1], [*shows(DAY), *shows(TOMORROW, range(14))], days=DAYS)
    put_shows(store, T[2], shows(DAY, price=100), days=(DAY,))
    with pytest.raises(FileHeldBack):
        load()
    assert cancelled(service) == set()
    (accepted, _) = load(accept=True)
    ((reason,),) = accepted.details["accepted"].values()
    assert reason.startswith(f"channel_id 1, day {TOMORROW}: nothing is listed from 14:00 to 00:00")
    assert cancelled(service) == set(range(115, 125))
    assert {won for number, won in rows(service, BROADCAST, "source_product_id", "price") if number < 25} == {100}
    assert {*ledger(service).values(), *ledger(warehouse).values()} == {("loaded", None)}
    assert [report.written for report in load()] == [0, 0]
    put_shows(store, T[3], [*shows(DAY), *shows(TOMORROW, range(14))], days=DAYS)
    load()  # the new level
    put_shows(store, T[4], [*shows(DAY), *shows(TOMORROW, range(7))], days=DAYS)
    with pytest.raises(FileHeldBack):
        load()


def test_a_newer_sound_day_closes_the_one_held_back(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], shows(TOMORROW), days=(TOMORROW,))
    held = put_shows(store, T[1], shows(TOMORROW, range(14)), days=(TOMORROW,))
    with pytest.raises(FileHeldBack):
        load()
    put_shows(store, T[2], shows(TOMORROW, price=100), days=(TOMORROW,))
    load()
    assert ledger(service)[held.run_id] == ("loaded", None)
    load(accept=True)  # nothing is left to accept
    assert cancelled(service) == set()
    assert {won for (won,) in rows(service, BROADCAST, "price")} == {100}


def test_a_day_that_is_over_is_not_held_back_any_more(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], shows(DAY))
    held = put_shows(store, T[5], shows(DAY, range(18)))
    with pytest.raises(FileHeldBack):
        load()
    put_shows(store, kst("26:00"), shows(TOMORROW), days=(TOMORROW,))
    load()
    assert ledger(service)[held.run_id] == ("loaded", None)


def test_shows_that_began_are_never_cancelled(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    """The page of today at 13:07 lists no show that is over."""
    put_shows(store, T[0], shows(DAY))
    put_shows(store, kst("13:07"), shows(DAY, range(14, 24)))
    load()
    assert cancelled(service) == set()
    put_shows(store, kst("14:07"), [one for one in shows(DAY, range(15, 24)) if one["source_product_id"] != 20])
    load()
    assert cancelled(service) == cancelled(warehouse) == {20}


def test_a_day_believed_empty_is_cancelled(service: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [*shows(DAY), *shows(TOMORROW)], days=DAYS)
    for at in T[1:4]:
        empty = scope(complete=False, channel_id=1, day=TOMORROW.isoformat()).model_copy(update={"empty": True})
        put(store, "hnsmall", "schedule", at, shows(DAY), [scope(True, 24, channel_id=1, day=DAY.isoformat()), empty])
        with pytest.raises(FileHeldBack) if at < T[3] else capture_logs():
            load()
    assert cancelled(service) == set(range(101, 125))


def test_products_of_a_category_accepted_as_empty_vanish(service: Engine, store: Store, load: Load) -> None:
    """Its page without products is the same in each crawl; the acceptance of one of them holds for the next."""
    put_prices(store, T[0], [price(n) for n in range(1, 11)])
    put_products(store, T[0], [product(n) for n in range(1, 11)])
    load("kok")

    def crawl_empty(at: datetime) -> set[object]:
        lists = [scope(category != "1611", category=category) for category in sorted(CATEGORIES)]
        put(store, "kok", "prices", at, [], [each.model_copy(update={"empty": not each.complete}) for each in lists])
        load("kok", accept=at == T[1])
        return {vanished_at for (vanished_at,) in rows(service, PRODUCT, "vanished_at")}

    assert [crawl_empty(at) for at in T[1:4]] == [{None}, {T[2]}, {T[2]}]
    put_prices(store, T[4], [price(n) for n in range(1, 11)])
    load("kok")
    assert rows(service, PRODUCT, "vanished_at") == [(None,)] * 10


def test_a_category_held_back_leaves_the_others(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    def lists(first: int, last: int, won: int) -> list[Item]:
        others = [price(1000 + n, won, category="1613") for n in range(30)]
        return [*(price(n, won) for n in range(first, last)), *others]

    put_prices(store, T[0], lists(1, 46, 1000))
    load("kok")
    run = put_prices(store, T[1], lists(1, 41, 2000))
    with pytest.raises(
        FileHeldBack, match="category 1611: 5 of the 45 products are no longer listed, and the list ends"
    ):
        load("kok")
    newest = {number: won for number, _, won in rows(service, PRICE, "kok_product_id", "observed_at", "price")}
    assert {won for number, won in newest.items() if number < 1000} == {1000}
    assert {won for number, won in newest.items() if number >= 1000} == {2000}
    put_prices(store, T[2], lists(1, 46, 3000))
    load("kok")
    assert ledger(warehouse)[run.run_id] == ("loaded", None)


def test_too_many_rejects_hold_a_file_back(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(1)] * 2 + [price(n) for n in range(2, 19)] + [price(0)])
    load("kok")
    before = rows(service, PRICE, "kok_product_id")
    assert len(before) == 18
    run = put_prices(store, T[1], [price(n, 500) for n in range(1, 17)] + [price(0)])
    with pytest.raises(FileHeldBack, match=r"1 of 17 items rejected \(1 invalid item\).*ukok load kok --accept"):
        load("kok")
    assert rows(service, PRICE, "kok_product_id") == before
    assert len(ledger(service)) == 1
    kept = rows(warehouse, STEP_RUN, "step", "status", "rows_written")
    assert kept[1:3] == [("load_kok", "failed", 0), ("load_kok_history", "done", 18)]
    assert "1 of 17 items rejected" in str(rows(warehouse, STEP_RUN, "status", "error")[-1])
    assert "1 of 17 items rejected (1 invalid item)" in str(read_faults(store, run.run_id, sources()).held)
    load("kok", accept=True)
    assert len(rows(service, PRICE, "kok_product_id")) == 18 + 16
    assert read_faults(store, run.run_id, sources()).held == []


def test_an_overtaken_file_is_closed_and_not_accepted(service: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(n) for n in range(1, 21)])
    held = put_prices(store, T[1], [price(n, 500) for n in range(1, 19)] + [price(0)] * 2)
    with pytest.raises(FileHeldBack):
        load("kok")
    put_prices(store, T[2], [price(n, 700) for n in range(1, 21)])
    load("kok")
    assert ledger(service)[held.run_id] == ("overtaken", None)
    load("kok", accept=True)
    assert {won for (won,) in rows(service, PRICE, "price")} == {700, 1000}


def test_a_load_is_about_the_newest_file_held_back(store: Store, load: Load) -> None:
    put_shows(store, T[0], [*shows(DAY), *shows(TOMORROW)], days=DAYS)
    put_shows(store, T[1], shows(TOMORROW, range(14)), days=(TOMORROW,))
    newest = put_shows(store, T[2], shows(DAY, range(12)), days=(DAY,))
    with pytest.raises(FileHeldBack) as held:
        load(now=T[2] + timedelta(minutes=40))
    assert f"{newest.run_id} (crawled 40 min ago): 1 of 1 scopes held back: channel_id 1, day {DAY}" in str(held.value)
    assert "; so is something of 1 older crawl" in str(held.value)


def test_earlier_files_with_unreadable_reports_do_not_count(service: Engine, store: Store, load: Load) -> None:
    """After a change of the report's schema, files are compared with those crawled since."""
    old = [put_prices(store, at, [price(n) for n in range(1, 31)]) for at in T[:3]]
    load("kok")
    for run in old:
        report = json.loads(store.get(run.stem + REPORT))
        store.put(run.stem + REPORT, json.dumps(report | {"schema_version": 0}).encode())
    with capture_logs() as logs:
        put_prices(store, T[3], [price(n) for n in range(31, 36)])
    warned = [entry["reason"] for entry in logs if entry["log_level"] == "warning"]
    assert warned
    assert all(any(run.stem + REPORT in reason for reason in warned) for run in old)


def test_a_file_with_an_unreadable_report_is_not_loaded(service: Engine, store: Store, load: Load) -> None:
    run = put_prices(store, T[0], [price(1)])
    store.put(run.stem + REPORT, b"{}")
    with pytest.raises(UnreadableReport, match=run.stem + REPORT):
        load("kok")
    assert rows(service, LEDGER, "run_id") == []


# --- Complete crawls


@pytest.fixture
def standin() -> Iterator[Standin]:
    products = [small_crawl.kok(1_000_000 + n, category=CATEGORIES[n % 13]) for n in range(39)]
    programme = [small_crawl.show(1, f"{hour:02}:00", f"{hour:02}:50", 10_000_000 + hour) for hour in range(24)]
    with running_standin(small_crawl.catalog(kok=products, shows=programme), small_crawl.NOON) as running:
        yield running


def crawled(standin: Standin, store: Store, source: str, hours: int = 0) -> list[RawRun]:
    return crawl(source, small_crawl.DAY, 1, small_crawl.NOON + timedelta(hours=hours), store, standin.settings)


@embedded_only
def test_a_listing_is_held_back_with_its_product_pages(
    standin: Standin, service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    """After a CSS class was renamed, the last good prices stay and nothing of the crawl is loaded."""
    crawled(standin, store, "kok")
    load("kok")
    before = rows(service, PRICE, "kok_product_id", "price", "price_kind")
    assert len(before) == 39
    standin.faults.rules[:] = [renamed("category/uplus/page", "card-info_price")]
    run, _ = crawled(standin, store, "kok", hours=3)
    with pytest.raises(FileHeldBack) as held:
        load("kok")
    reason = gate_of(store, run).reasons[0]
    assert reason.startswith("contract violated: fill of price is 0.0% of 39 items")
    parts = ("(crawled", "ago): held back", reason, f"`ukok crawl show-fault {run.run_id}`", "--accept")
    assert all(part in str(held.value) for part in (f"kok/prices {run.run_id}", *parts))
    assert rows(service, PRICE, "kok_product_id", "price", "price_kind") == before
    assert run.run_id not in ledger(service)
    failed = [row for row in rows(warehouse, STEP_RUN, "step", "status") if row[1] == "failed"]
    assert failed == [("load_kok", "failed"), ("load_kok_history", "failed")]
    standin.faults.rules.clear()
    crawled(standin, store, "kok", hours=6)
    load("kok")
    assert ledger(service)[run.run_id] == ("overtaken", None)
    assert len(rows(service, PRODUCT, "kok_product_id")) == 39
    assert len(rows(service, PRICE, "kok_product_id")) == 39


@embedded_only
def test_crawl_load_fault_and_page_say_the_same(standin: Standin, service: Engine, store: Store, load: Load) -> None:
    crawled(standin, store, "hnsmall", -10)
    load()
    standin.faults.rules[:] = [half_day("tvschedule-list")]
    (run, _) = crawled(standin, store, "hnsmall", -7)
    with pytest.raises(FileHeldBack) as held:
        load()
    (day,) = gate_of(store, run).held
    (reason,) = day.reasons
    assert reason.startswith("nothing is listed from ")
    sentence = f"{day.label}: {reason}"
    report = gather(store, find_crawl(store, sources(), run.run_id))
    found = (str(held.value), report.decision.sentence, render(report), str(read_faults(store, run.run_id, sources())))
    assert [sentence in said for said in found] == [True] * 4
    assert cancelled(service) == set()
