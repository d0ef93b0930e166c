"""Crawls that are killed while they read product pages: the next one goes on where they stopped."""

import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from artifacts.open import open_store
from artifacts.raw import read_items, read_report
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.runner.crawl import crawl
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import unavailable
from crawlers.standin.server import Standin, running_standin
from crawlers.state.checkpoints import READINGS, keep_parts, take_over
from tests.builders.small_crawl import DAY, NOON, catalog, kok
from tests.crawlers.runner.test_crawl import crawl_processes, wait_for
from tests.crawlers.state.test_incremental import pages_asked

NUMBERS = range(1_000_001, 1_000_251)
HELD_AT = 1_000_000 + READINGS + 40  # more than a part, less than all
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
    """A folder: what a store is made of makes no difference here."""
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
    """A crawl that stands still in the middle of the product pages, with a part of its own in the store."""
    before = set(store.list("crawling/"))
    page = b64encode(str(HELD_AT).encode()).decode()
    standin.faults.rules.append(unavailable(f"proCode={page}", times=1, retry_after="250"))
    with TemporaryDirectory() as folder:
        environment = os.environ | {"TMPDIR": folder}
        caller = subprocess.Popen(
            [sys.executable, "-c", CALLER, url, standin.settings.model_dump_json()], env=environment
        )
        try:
            wait_for(lambda: standin.faults.asked(page))
            wait_for(lambda: set(store.list("crawling/")) - before)
            yield caller
        finally:
            for process in (*crawl_processes(caller.pid), caller) if caller.poll() is None else ():
                process.kill()
            caller.wait()


def left_behind(store: Store, folder: Path) -> set[int]:
    """Product ids whose pages killed crawls left in the store."""
    take_over(store, "kok", DAY, folder / "left")
    return {int(line.split('"product_id": ')[1].split(",")[0]) for line in (folder / "left").read_text().splitlines()}


def run_again(standin: Standin, store: Store, hours: int = 1) -> tuple[list[int], list[dict[str, Any]], dict[str, Any]]:
    """Ids of the pages that a crawl asks for, its product items, and the report on them."""
    pages_asked(standin)
    runs = crawl("kok", DAY, 1, NOON + timedelta(hours=hours), store, standin.settings)
    (run,) = [run for run in runs if run.dataset == "products"]
    return pages_asked(standin), list(read_items(store, run)), read_report(store, run)


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
    kept = left_behind(store, tmp_path)
    assert len(kept) >= READINGS
    asked, items, report = run_again(standin, store)
    assert asked == sorted(set(NUMBERS) - kept)
    assert sorted(item["kok_product_id"] for item in items) == list(NUMBERS)
    assert report["items"] == len(NUMBERS)
    assert all(scope["complete"] for scope in report["scopes"])
    assert store.list("crawling/") == []
    asked, items, _ = run_again(standin, store, hours=2)
    assert not asked
    assert not items


def test_a_page_whose_price_has_changed_since_the_kill_is_read_anew(
    standin: Standin, store: Store, artifacts_url: str, tmp_path: Path
) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        caller.kill()
    kept = left_behind(store, tmp_path)
    changed = min(kept)
    standin.show(shop(cheaper=changed), NOON)
    asked, items, report = run_again(standin, store)
    assert asked == sorted((set(NUMBERS) - kept) | {changed})
    assert report["items"] == len(items) == len(NUMBERS)
    (item,) = [item for item in items if item["kok_product_id"] == changed]
    assert item["list_price"] == 5_000


def test_two_crawls_at_once_do_no_harm(standin: Standin, store: Store, artifacts_url: str, tmp_path: Path) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        kept = left_behind(store, tmp_path)
        asked, items, _ = run_again(standin, store)
        assert asked == sorted(set(NUMBERS) - kept)
        assert sorted(item["kok_product_id"] for item in items) == list(NUMBERS)
        caller.kill()
        caller.wait()
    asked, items, report = run_again(standin, store, hours=2)
    assert asked == []
    assert all(scope["complete"] for scope in report["scopes"])
    assert store.list("crawling/") == []


def test_requests_of_a_killed_crawl_count_for_the_day(standin: Standin, store: Store, artifacts_url: str) -> None:
    with held_crawl(standin, store, artifacts_url) as caller:
        caller.kill()
    killed = len(standin.faults.seen)
    _, _, report = run_again(standin, store)
    (told,) = report["taken_over"].values()
    assert READINGS <= told <= killed


def test_what_is_left_of_a_part_in_whose_middle_a_process_was_killed_is_read(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    (tmp_path / "open").write_text('{"page": {"product_id": 1}, "item": null}\n{"page": {"produ')
    keep_parts(store, "kok", "run", tmp_path, unfinished=True)
    left = take_over(store, "kok", DAY, tmp_path / "left")
    assert (tmp_path / "left").read_text() == '{"page": {"product_id": 1}, "item": null}\n'
    assert left.keys == ["crawling/kok/run/last.jsonl.gz"]
