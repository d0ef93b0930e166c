"""Crawls killed while they read product pages: the next one resumes where they stopped."""

import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from artifacts.open import open_store
from artifacts.raw import read_items
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.run_report import CrawlRunReport, read_crawl_report
from crawlers.runner.crawl import crawl
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import unavailable
from crawlers.standin.server import Standin, running_standin
from crawlers.state.checkpoints import (
    OPEN_FILE,
    PAGES_PER_FILE,
    CheckpointEnd,
    CheckpointPage,
    read_taken_over,
    store_checkpoints,
    take_over_checkpoints,
)
from crawlers.state.page_state import PageRow
from tests.builders.small_crawl import DAY, NOON, catalog, kok, page_row
from tests.builders.waiting import until
from tests.crawlers.runner.test_crawl import DEADLINE, crawl_processes
from tests.crawlers.state.test_incremental import pages_requested

NUMBERS = range(1_000_001, 1_000_251)
HELD_AT = 1_000_000 + PAGES_PER_FILE + 40  # more than a checkpoint, less than all
CALLER = """
import sys
from datetime import datetime
from artifacts.open import open_store
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings

now = datetime.fromisoformat("2025-08-06T12:00:00+09:00")
crawl("kok", now.date(), 1, now, open_store(sys.argv[1]), CrawlSettings.model_validate_json(sys.argv[2]))
"""


@pytest.fixture
def artifacts_url(tmp_path: Path) -> str:
    """A folder: the kind of store makes no difference here."""
    return str(tmp_path / "artifacts")


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running_standin(shop(), NOON) as running:
        yield running


def shop(cheaper: int | None = None) -> Catalog:
    """Products in all categories; one of them may have another price."""
    prices = {cheaper: {"list_price": 5_000}}
    rows = (kok(number, category=CATEGORIES[number % len(CATEGORIES)], **prices.get(number, {})) for number in NUMBERS)
    return catalog(kok=rows)


@contextmanager
def held_crawl(standin: Standin, store: Store, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A crawl that stands still among the product pages, with a checkpoint of its own in the store."""
    before = set(store.list("crawling/"))
    page = b64encode(str(HELD_AT).encode()).decode()
    standin.faults.rules.append(unavailable(f"proCode={page}", times=1, retry_after="250"))
    with TemporaryDirectory() as folder:
        # One request at a time: none is on its way while the crawl stands still.
        settings = standin.settings.model_copy(update={"crawl_concurrency": 1}).model_dump_json()
        caller = subprocess.Popen([sys.executable, "-c", CALLER, url, settings], env=os.environ | {"TMPDIR": folder})
        try:
            until(lambda: standin.faults.requests_for(page), "the page to be requested", DEADLINE)
            until(lambda: set(store.list("crawling/")) - before, "a checkpoint", DEADLINE)
            yield caller
        finally:
            for process in (*crawl_processes(caller.pid), caller) if caller.poll() is None else ():
                process.kill()
            caller.wait()


def checkpointed(store: Store, folder: Path) -> set[int]:
    """Product ids in the checkpoints of killed crawls."""
    path = folder / "taken_over"
    take_over_checkpoints(store, "kok", DAY, path)
    return {read.page.product_id for read in read_taken_over(path)}


def run_again(standin: Standin, store: Store, hours: int = 1) -> tuple[list[int], list[dict[str, Any]], CrawlRunReport]:
    """Ids of the pages that a crawl requests, its product items, and their report."""
    pages_requested(standin)
    runs = crawl("kok", DAY, 1, NOON + timedelta(hours=hours), store, standin.settings)
    (run,) = [run for run in runs if run.dataset == "products"]
    return pages_requested(standin), list(read_items(store, run)), read_crawl_report(store, run)


@pytest.mark.parametrize("killed", ["parent", "child", "both"])
def test_a_killed_crawl_is_resumed_where_it_stopped(
    killed: str, standin: Standin, store: Store, artifacts_url: str, tmp_path: Path
) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        (process,) = crawl_processes(caller.pid)
        victims = {"parent": [caller.pid], "child": [process.pid], "both": [caller.pid, process.pid]}
        for pid in victims[killed]:
            os.kill(pid, signal.SIGKILL)
        caller.wait()
        process.wait()
    assert store.list("raw/") == []
    read = checkpointed(store, tmp_path)
    assert read
    requested, items, report = run_again(standin, store)
    assert requested == sorted(set(NUMBERS) - read)
    assert sorted(item["kok_product_id"] for item in items) == list(NUMBERS)
    assert report.items == len(NUMBERS)
    assert all(scope.complete for scope in report.scopes)
    assert store.list("crawling/") == []
    requested, items, _ = run_again(standin, store, hours=2)
    assert not requested
    assert not items


def test_a_page_whose_price_changed_since_the_kill_is_read_anew(
    standin: Standin, store: Store, artifacts_url: str, tmp_path: Path
) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        caller.kill()
    read = checkpointed(store, tmp_path)
    changed = min(read)
    standin.show(shop(cheaper=changed), NOON)
    requested, items, report = run_again(standin, store)
    assert requested == sorted((set(NUMBERS) - read) | {changed})
    assert report.items == len(items) == len(NUMBERS)
    (item,) = [item for item in items if item["kok_product_id"] == changed]
    assert item["list_price"] == 5_000


def test_two_crawls_at_once_do_no_harm(standin: Standin, store: Store, artifacts_url: str, tmp_path: Path) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        read = checkpointed(store, tmp_path)
        requested, items, _ = run_again(standin, store)
        assert requested == sorted(set(NUMBERS) - read)
        assert sorted(item["kok_product_id"] for item in items) == list(NUMBERS)
        caller.kill()
        caller.wait()
    requested, items, report = run_again(standin, store, hours=2)
    assert requested == []
    assert all(scope.complete for scope in report.scopes)
    assert store.list("crawling/") == []


def test_requests_of_a_killed_crawl_count_for_the_day(standin: Standin, store: Store, artifacts_url: str) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        caller.kill()
    killed = len(standin.faults.seen)
    _, _, report = run_again(standin, store)
    (counted,) = report.taken_over.values()
    assert PAGES_PER_FILE <= counted <= killed


def test_a_checkpoint_cut_off_by_a_kill_is_read(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    (tmp_path / OPEN_FILE).write_bytes(checkpoint_line(page_row(1)) + b'{"page": {"produ')
    store_checkpoints(store, "kok", "run", tmp_path, unfinished=True)
    taken_over = take_over_checkpoints(store, "kok", DAY, tmp_path / "taken_over")
    assert list(read_taken_over(tmp_path / "taken_over")) == [CheckpointPage(page_row(1), None)]
    assert taken_over.keys == ["crawling/kok/run/last.jsonl.gz"]


def test_checkpoint_lines_of_another_form_are_left_out(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    older = asdict(page_row(2))
    older["rested"] = older.pop("unchanged_reads")
    lines = [
        checkpoint_line(page_row(1)),
        orjson.dumps({"page": older, "item": None}) + b"\n",
        orjson.dumps({"page": page_row(3), "item": {"kok_product_id": 3}}) + b"\n",
        orjson.dumps(CheckpointEnd(7, DAY)) + b"\n",
    ]
    (tmp_path / "000001.jsonl").write_bytes(b"".join(lines))
    store_checkpoints(store, "kok", "run", tmp_path)
    with capture_logs() as logs:
        taken_over = take_over_checkpoints(store, "kok", DAY, tmp_path / "taken_over")
    assert list(read_taken_over(tmp_path / "taken_over")) == [CheckpointPage(page_row(1), None)]
    assert taken_over.requests == {"run": 7}
    (warning,) = logs
    assert (warning["log_level"], warning["key"], warning["lines"]) == ("warning", taken_over.keys[0], 2)


def checkpoint_line(row: PageRow) -> bytes:
    return orjson.dumps({"page": row, "item": None}) + b"\n"
