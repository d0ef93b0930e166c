"""State in the store that this program cannot read: refused in one line that names the file."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from artifacts.open import open_store
from artifacts.raw import ITEMS, REPORT, RawRun, UnreadableItems, UnreadableReport, new_run_id, write_run
from artifacts.store import Store
from crawlers.gates.holds import accept, read_holds, record_rejection, rejected_runs
from crawlers.job import Job
from crawlers.run_report import read_crawl_report
from crawlers.settings import CrawlSettings
from crawlers.state.image_state import ImageRow
from crawlers.state.image_storage import IMAGES, load_image_state, previous_images_file
from crawlers.state.page_storage import PAGES, load_page_state
from tests.builders.raw_runs import crawl_report, product, put
from tests.builders.small_crawl import DAY, NOON, page_row

IMAGE = ImageRow("https://image/1.jpg", NOON.isoformat(), None, None, None, None, None, None, None, None)
STATES = pytest.mark.parametrize(
    ("dataset", "load", "row"),
    [(PAGES, load_page_state, asdict(page_row(1))), (IMAGES, load_image_state, asdict(IMAGE))],
    ids=[PAGES, IMAGES],
)
Load = Callable[[Store, Job], None]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    settings = CrawlSettings(crawl_images=True)
    return Job(source="kok", day=DAY, days=1, now=NOON, settings=settings, folder=tmp_path, requests_left=9)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "artifacts"))


def put_state(store: Store, dataset: str, rows: list[dict[str, Any]]) -> RawRun:
    at = NOON - timedelta(days=1)
    run = RawRun(new_run_id(at), "kok", dataset, at.date())
    write_run(store, run, rows, crawl_report(run, at))
    return run


@STATES
def test_stored_state_is_loaded(job: Job, store: Store, dataset: str, load: Load, row: dict[str, Any]) -> None:
    put_state(store, dataset, [row, row])
    load(store, job)
    file = {PAGES: job.previous_pages_file, IMAGES: previous_images_file(job)}[dataset]
    assert list(map(json.loads, file.read_text().splitlines())) == [row, row]


@STATES
def test_state_of_another_schema_version_is_refused(
    job: Job, store: Store, dataset: str, load: Load, row: dict[str, Any]
) -> None:
    run = put_state(store, dataset, [row])
    report = json.loads(store.get(run.stem + REPORT))
    store.put(run.stem + REPORT, json.dumps(report | {"schema_version": 0}).encode())
    with pytest.raises(UnreadableReport, match="has schema version 0") as refused:
        load(store, job)
    assert run.stem + REPORT in str(refused.value)
    assert "\n" not in str(refused.value)


@STATES
def test_a_state_row_of_another_form_is_refused(
    job: Job, store: Store, dataset: str, load: Load, row: dict[str, Any]
) -> None:
    renamed = {"rested" if name == "unchanged_reads" else name: value for name, value in row.items()}
    renamed.pop("seen_at", None)
    run = put_state(store, dataset, [row, renamed])
    with pytest.raises(UnreadableItems, match=r"(unchanged_reads|seen_at): Field required; use the version") as refused:
        load(store, job)
    assert f"line 2 of {run.stem}{ITEMS}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_pages_that_a_load_rejected_are_due_again(job: Job, store: Store) -> None:
    later = (NOON + timedelta(hours=3)).isoformat()
    put_state(store, PAGES, [asdict(page_row(1)), asdict(page_row(2, read_at=later)), asdict(page_row(3))])
    run = put(store, "kok", "products", NOON, [product(1), product(2)], [])

    def due() -> list[int]:
        load_page_state(store, job, rejected_runs(store, "kok", "products"))
        rows = map(json.loads, job.previous_pages_file.read_text().splitlines())
        return [row["product_id"] for row in rows if row["version"] is None]

    assert due() == []
    record_rejection(store, run, ["1 of 2 items rejected"])
    assert due() == [1]
    accept(store, run, read_holds(store, run, read_crawl_report(store, run)), [], NOON)
    assert due() == []
