"""The crawl step: what fails it, and what it keeps nevertheless."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from artifacts.raw import list_runs
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.standin.faults import Fault, unavailable
from crawlers.standin.server import Standin, running_standin
from pipelines.crawl import MIN_PAGES, PagesNotReceived, crawl_source
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.warehouse.steps import StepRun
from tests.builders.small_crawl import DAY, NOON, catalog, kok
from tests.conftest import embedded_only

PRODUCTS = range(1_000_001, 1_000_001 + MIN_PAGES)


@pytest.fixture(scope="module")
def running() -> Iterator[Standin]:
    listed = [kok(number, category=CATEGORIES[number % len(CATEGORIES)]) for number in PRODUCTS]
    with running_standin(catalog(kok=listed), NOON) as standin:
        yield standin


@pytest.fixture
def standin(running: Standin) -> Iterator[Standin]:
    yield running
    running.faults.rules.clear()


def crawl(standin: Standin, warehouse: Engine, store: Store, now: datetime = NOON, **settings: object) -> Report:
    changed = standin.settings.model_copy(update={"crawl_outage_seconds": 0.1, **settings})
    return crawl_source("kok", warehouse, store, DAY, 1, now=now, settings=changed).report


def products(report: Report) -> int:
    """Return the number of product pages that a crawl read."""
    count: int = report.details["datasets"]["products"]["items"]
    return count


def failing(count: int) -> list[Fault]:
    """Faults of some product pages."""
    return [unavailable(b64encode(str(number).encode()).decode()) for number in PRODUCTS[:count]]


@embedded_only
def test_too_few_product_pages_fail_the_crawl_and_are_kept(
    standin: Standin, service: Engine, warehouse: Engine, store: Store
) -> None:
    standin.faults.rules[:] = failing(MIN_PAGES // 2)
    received = MIN_PAGES // 2
    with pytest.raises(PagesNotReceived, match=f"only {received} of {MIN_PAGES} product pages; HTTP 503") as failed:
        crawl(standin, warehouse, store)
    with warehouse.connect() as conn:
        (step,) = conn.execute(select(StepRun.status, StepRun.details)).all()
    run_id = step.details["run_id"]
    assert step.status == "failed"
    assert f"ukok crawl show-fault {run_id}" in str(failed.value)
    assert store.list("reports/crawl/kok/") == [f"reports/crawl/kok/{run_id}.html"]
    assert [run.run_id for run in list_runs(store, "kok", "prices")] == [run_id]
    loaded = load_source("kok", service, warehouse, store)
    assert sum(report.read for report in loaded) > 0
    standin.faults.rules.clear()
    assert products(crawl(standin, warehouse, store, NOON + timedelta(hours=1))) == MIN_PAGES - received


@embedded_only
def test_a_few_missing_pages_fail_no_crawl(standin: Standin, warehouse: Engine, store: Store) -> None:
    missing = MIN_PAGES // 10
    standin.faults.rules[:] = failing(missing)
    assert products(crawl(standin, warehouse, store)) == MIN_PAGES - missing


@embedded_only
def test_a_spent_budget_fails_no_crawl(standin: Standin, warehouse: Engine, store: Store) -> None:
    lists = 1 + len(CATEGORIES)  # with robots.txt
    assert products(crawl(standin, warehouse, store, crawl_daily_requests=lists + 5)) == 5
