"""Gates: a file that looks broken is not loaded until a person accepts it."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from artifacts.raw import REPORT, RawRun, UnreadableReport
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.run_report import ContractCheck, read_crawl_report
from crawlers.runner.crawl import crawl
from crawlers.standin.faults import half_day, renamed
from crawlers.standin.server import Standin, running_standin
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import table_of
from pipelines.load.schedules import BROADCAST
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service import catalog
from sql.warehouse import steps
from tests.builders import small_crawl
from tests.builders.raw_runs import DAY, Item, kst, price, product, put, put_prices, put_shows, rows, scope, show
from tests.conftest import embedded_only

PRICE, PRODUCT = table_of(catalog.KokPrice), table_of(catalog.KokProduct)
LEDGER, STEP_RUN = table_of(catalog.LoadedFile), table_of(steps.StepRun)
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]

Load = Callable[..., list[Report]]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="hnsmall", **options: load_source(source, service, warehouse, store, **options)


def shows(count: int, day: date = DAY) -> list[Item]:
    return [show(f"{hour:02}:00", f"{hour:02}:30", hour + 1, day=day) for hour in range(count)]


def test_too_many_rejects_hold_a_file_back(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(1)] * 2 + [price(n) for n in range(2, 19)] + [price(0)])
    load("kok")
    before = rows(service, PRICE, "kok_product_id")
    assert len(before) == 18
    put_prices(store, T[1], [price(n, 500) for n in range(1, 17)] + [price(0)])
    with pytest.raises(FileHeldBack, match=r"1 of 17 items rejected \(1 invalid item\).*ukok load kok --accept"):
        load("kok")
    assert rows(service, PRICE, "kok_product_id") == before
    assert len(rows(service, LEDGER, "run_id")) == 1
    kept = rows(warehouse, STEP_RUN, "step", "status", "rows_written")
    assert kept[1:3] == [("load_kok", "failed", 0), ("load_kok_history", "done", 18)]
    assert "1 of 17 items rejected" in str(rows(warehouse, STEP_RUN, "status", "error")[-1])
    load("kok", accept=True)
    assert len(rows(service, PRICE, "kok_product_id")) == 18 + 16


def test_a_scope_below_half_of_its_usual_items_is_held_back(service: Engine, store: Store, load: Load) -> None:
    for at, count in zip(T, (10, 12, 11), strict=False):
        put_shows(store, at, shows(count))
    put_shows(store, T[3], shows(5))
    with pytest.raises(FileHeldBack, match=r"5 items for channel_id 1, days ahead 0, usually 11"):
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


def test_days_are_compared_by_days_ahead(service: Engine, store: Store, load: Load) -> None:
    """Few shows on a day far ahead are no reason to hold a file back."""
    far = DAY + timedelta(days=10)
    for turn in range(3):
        at, day = T[0] + timedelta(days=turn), far + timedelta(days=turn)
        today = DAY + timedelta(days=turn)
        put_shows(store, at, shows(20, today) + shows(2, day), days=(today, day))
    load()
    today, day = DAY + timedelta(days=3), far + timedelta(days=3)
    put_shows(store, T[0] + timedelta(days=3), shows(20, today) + shows(1, day), days=(today, day))
    load()
    put_shows(store, T[1] + timedelta(days=3), shows(20, today), days=(today, day))
    with pytest.raises(FileHeldBack, match="0 items for channel_id 1, days ahead 10, usually 2"):
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
    with pytest.raises(FileHeldBack, match="4 items for category 1611, usually 9"):
        load("kok")
    assert len(rows(service, LEDGER, "run_id")) == 3


def test_a_held_back_file_is_later_accepted_in_its_place(service: Engine, store: Store, load: Load) -> None:
    for at in T[:3]:
        put_shows(store, at, shows(10))
    put_shows(store, T[3], shows(3))
    with pytest.raises(FileHeldBack, match="3 items"):
        load()
    put_shows(store, T[4], shows(11))
    reports = load()  # newer files have superseded it: no failure any more, but reports list it
    assert len(rows(service, BROADCAST, "source_product_id")) == 11
    assert "3 items" in str(reports[0].details["held back, but newer files are loaded"])
    load(accept=True)
    found = rows(service, BROADCAST, "source_product_id", "cancelled_at")
    assert {gone for _, gone in found} == {None}
    assert len(rows(service, LEDGER, "run_id")) == 5


def test_an_accepted_file_sets_the_new_level(service: Engine, store: Store, load: Load) -> None:
    """A permanently shorter schedule has to be accepted once, not every day."""
    for at in T[:3]:
        put_shows(store, at, shows(12))
    put_shows(store, T[3], shows(4))
    with pytest.raises(FileHeldBack, match="4 items"):
        load()
    (accepted, _) = load(accept=True)
    ((reason,),) = accepted.details["accepted"].values()
    assert reason.startswith("4 items for channel_id 1, days ahead 0, usually 12")
    for at in T[4:7]:
        put_shows(store, at, shows(4))
        load()
    put_shows(store, T[7], shows(1))
    with pytest.raises(FileHeldBack, match="1 items for channel_id 1, days ahead 0, usually 4"):
        load()


def test_only_the_last_seven_files_are_history(service: Engine, store: Store, load: Load) -> None:
    for turn in range(4):
        put_shows(store, T[0] - timedelta(days=1) + timedelta(hours=turn), shows(4))
    for at in T[:7]:
        put_shows(store, at, shows(12))
    put_shows(store, T[7], shows(5))
    with pytest.raises(FileHeldBack, match="5 items for channel_id 1, days ahead 0, usually 12"):
        load()


def test_a_scope_with_missing_hours_is_held_back(service: Engine, store: Store, load: Load) -> None:
    """The day keeps half of its shows, but the afternoon is missing."""

    def put_hours(at: int, hours: int) -> None:
        reported = scope(complete=True, items=20, channel_id=1, day=DAY.isoformat()).model_copy(update={"hours": hours})
        put(store, "hnsmall", "schedule", T[at], shows(20), [reported])

    for at in range(3):
        put_hours(at, 20)
    put_hours(3, 10)
    with pytest.raises(FileHeldBack, match="10 hours for channel_id 1, days ahead 0, usually 20"):
        load()


def test_a_truncated_day_is_held_back(service: Engine, store: Store, load: Load) -> None:
    """One earlier file is enough to find the second half of a day missing; single cancelled shows are accepted."""

    def put_span(at: int, count: int, span: tuple[int, int]) -> None:
        whole = scope(complete=True, items=count, channel_id=1, day=DAY.isoformat())
        reported = whole.model_copy(update={"hours": count, "span": span})
        put(store, "hnsmall", "schedule", T[at], shows(count), [reported])

    put_span(0, 20, (0, 23))
    put_span(1, 10, (0, 23))
    load()
    assert len(rows(service, LEDGER, "run_id")) == 2
    put_span(2, 5, (0, 11))
    truncated = "5 items for channel_id 1, day 2025-08-06, between 0 and 11 o'clock; 10 between 0 and 23 in the file"
    with pytest.raises(FileHeldBack, match=truncated):
        load()
    load(accept=True)
    assert len(rows(service, LEDGER, "run_id")) == 3


def test_a_day_that_became_empty_is_held_back(service: Engine, store: Store, load: Load) -> None:
    """A page without shows is accepted for a day that never had any, and held back for one that had."""
    put_shows(store, T[0], shows(10))
    load()

    def put_empty(at: int, day: date) -> None:
        reported = scope(complete=False, items=0, channel_id=1, day=day.isoformat()).model_copy(update={"empty": True})
        put(store, "hnsmall", "schedule", T[at], [], [reported])

    put_empty(1, DAY + timedelta(days=1))
    load()
    put_empty(2, DAY)
    with pytest.raises(FileHeldBack, match="no items for channel_id 1, day 2025-08-06, 10 in the file before"):
        load()


def test_a_category_that_loses_over_half_is_held_back(service: Engine, store: Store, load: Load) -> None:
    """One category that lost half of its list is noticed although the others are complete."""
    others = [price(n, category="1613") for n in range(101, 200)]
    put_prices(store, T[0], [price(n) for n in range(1, 25)] + others)
    put_prices(store, T[1], [price(n) for n in range(1, 12)] + others)
    with pytest.raises(FileHeldBack, match=r"only 45\.8% of the 24 products listed before in category 1611 are still"):
        load("kok")
    assert len(rows(service, LEDGER, "run_id")) == 1


def test_a_field_filled_half_as_often_is_held_back(service: Engine, store: Store, load: Load) -> None:
    """Single ratings may be missing, but not those of most products at once."""

    def put_rated(at: int, count: int, rated: int) -> None:
        items = [product(n, review_score=4.5 if n <= rated else None) for n in range(1, count + 1)]
        reported = ContractCheck(violations=[], fill={"review_score": rated / count}, items=count)
        put(store, "kok", "products", T[at], items, [scope(complete=True, items=count)], contract_check=reported)

    for at in range(3):
        put_rated(at, 50, 30)
    load("kok")
    put_rated(3, 30, 7)  # too few to compare: eighteen are expected
    load("kok")
    put_rated(4, 50, 14)
    message = "review_score is filled in 28.0% of 50 items, usually 60.0%, first on http://kok/product"
    with pytest.raises(FileHeldBack, match=message):
        load("kok")
    assert len(rows(service, LEDGER, "run_id")) == 4


def test_a_listing_that_loses_most_products_is_held_back(service: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(n, 900) for n in range(1, 31)])
    (first, _) = load("kok")
    assert "listings" not in first.details
    put_prices(store, T[1], [price(n, 900 if n % 2 else 950) for n in range(11, 41)])
    (second, _) = load("kok")
    (continuity,) = second.details["listings"].values()
    assert continuity == {"products": 30, "still_listed": 0.6667, "changed_price": 0.5, "lost_categories": {}}
    put_prices(store, T[2], [price(n) for n in range(30, 60)])
    with pytest.raises(FileHeldBack, match=r"only 36\.7% of the 30 products listed before in all categories are"):
        load("kok")
    (accepted, _) = load("kok", accept=True)
    assert [one["still_listed"] for one in accepted.details["listings"].values()] == [0.3667]
    put_prices(store, T[3], [price(n) for n in range(30, 60)])
    load("kok")


def test_incomplete_categories_are_not_compared(store: Store, load: Load) -> None:
    both = [price(n) for n in range(1, 31)] + [price(n, category="1613") for n in range(31, 61)]
    put_prices(store, T[0], both)
    load("kok")
    put_prices(store, T[1], both[:30], missing=["1613"])
    (report, _) = load("kok")
    assert [one["still_listed"] for one in report.details["listings"].values()] == [1.0]


def test_earlier_files_with_unreadable_reports_do_not_count(service: Engine, store: Store, load: Load) -> None:
    """After a change of the report's schema, files are compared with those loaded since."""
    old = [put_prices(store, at, [price(n) for n in range(1, 31)]) for at in T[:3]]
    load("kok")
    for run in old:
        report = json.loads(store.get(run.stem + REPORT))
        store.put(run.stem + REPORT, json.dumps(report | {"schema_version": 0}).encode())
    put_prices(store, T[3], [price(n) for n in range(31, 36)])
    with capture_logs() as logs:
        (loaded, _) = load("kok")
    assert "listings" not in loaded.details
    assert len(rows(service, LEDGER, "run_id")) == 4
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
    run, products = crawled(standin, store, "kok", hours=3)
    check = read_crawl_report(store, run).contract_check
    assert check is not None
    (violation,) = check.violations
    with pytest.raises(FileHeldBack) as held:
        load("kok")
    reported = (
        f"kok/prices {run.run_id} and kok/products {run.run_id} held back",
        "fill of price is 0.0% of 39 items",
        str(violation.page),
    )
    assert all(part in str(held.value) for part in (*reported, f"`ukok crawl show-fault {run.run_id}`", "--accept"))
    assert rows(service, PRICE, "kok_product_id", "price", "price_kind") == before
    ledger = rows(service, LEDGER, "dataset", "run_id")
    assert not {("products", products.run_id), ("prices", run.run_id)} & set(ledger)
    failed = [row for row in rows(warehouse, STEP_RUN, "step", "status") if row[1] == "failed"]
    assert failed == [("load_kok", "failed"), ("load_kok_history", "failed")]
    load("kok", accept=True)
    after = rows(service, PRICE, "kok_product_id", "price", "price_kind")
    assert [row[1:] for row in after].count((None, "unknown")) == 39  # unknown, never 0
    standin.faults.rules.clear()
    crawled(standin, store, "kok", hours=6)
    load("kok")
    assert len(rows(service, PRICE, "kok_product_id")) == 3 * 39


@embedded_only
def test_half_a_day_cancels_nothing(standin: Standin, service: Engine, store: Store, load: Load) -> None:
    for hours in (0, 3, 6):
        crawled(standin, store, "hnsmall", hours)
        load()
    standin.faults.rules[:] = [half_day("tvschedule-list")]
    crawled(standin, store, "hnsmall", hours=9)
    with pytest.raises(FileHeldBack, match="12 hours for channel_id 1, days ahead 0, usually 2"):
        load()
    assert {gone for _, gone in rows(service, BROADCAST, "source_product_id", "cancelled_at")} == {None}
