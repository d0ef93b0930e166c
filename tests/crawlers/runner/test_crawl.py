"""A crawl as one step: what it refuses, what it leaves behind, and what happens when it is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from artifacts.open import open_store
from artifacts.raw import list_runs, read_items, read_report
from artifacts.store import Store
from crawlers.job import Progress
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.faults import unavailable
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, catalog, kok, show

DEADLINE = 60
CALLER = """
import sys
from datetime import datetime
from artifacts.open import open_store
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings

now = datetime.fromisoformat("2025-08-06T12:00:00+09:00")
crawl("hnsmall", now.date(), 1, now, open_store(sys.argv[1]), CrawlSettings.model_validate_json(sys.argv[2]))
"""


@pytest.fixture
def standin() -> Iterator[Standin]:
    shows = [show(1, "14:00", "15:00", 10_000_001)]
    with running_standin(catalog(kok=[kok(1_000_001), kok(1_000_002)], shows=shows), NOON) as running:
        yield running


Found = TypeVar("Found")


def wait_for(find: Callable[[], Found]) -> Found:
    """Poll until there is something, or fail."""
    end = time.monotonic() + DEADLINE
    while not (found := find()):
        assert time.monotonic() < end, "nothing came in time"
        time.sleep(0.02)
    return found


def crawl_processes(parent: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children() if "crawlers.scrapy_process.main" in child.cmdline()]


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match="unknown source 'naver': one of kok, hmall, hnsmall, nsmall"):
        crawl("naver", DAY, 1, NOON, open_store(str(tmp_path)), CrawlSettings())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (CrawlSettings(), "set UKOK_CONTACT"),
        (CrawlSettings(contact="someone@example.org", crawl_delay_seconds=0.1), "set UKOK_CRAWL_DELAY_SECONDS"),
    ],
)
def test_real_hosts_are_not_crawled_without_a_contact_and_a_pause(
    settings: CrawlSettings, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(CrawlFailed, match=reason):
        crawl("kok", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_runs_of_a_crawl_share_their_id_and_their_reports_say_what_was_done(standin: Standin, store: Store) -> None:
    runs = crawl("kok", DAY, 1, NOON, store, standin.settings)
    assert [run.dataset for run in runs] == ["prices", "products"]
    assert len({run.run_id for run in runs}) == 1
    assert runs[0].run_id.startswith("20250806T030000000000Z-")
    for run in runs:
        assert list_runs(store, "kok", run.dataset) == [run]
        report = read_report(store, run)
        told = (
            "run_id source dataset day started_at finished_at scopes faults items requests contract traffic taken_over"
            " budget"
        )
        assert set(told.split()) == report.keys()
        assert (report["dataset"], report["items"]) == (run.dataset, 2)
        assert len(list(read_items(store, run))) == 2


def test_nobody_there_is_a_failure_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = CrawlSettings(hnsmall_url="http://127.0.0.1:9/www.hnsmall.com", crawl_delay_seconds=0, crawl_retries=0)
    with pytest.raises(CrawlFailed, match=r"could not be read \(Connection was refused.*\), so") as failed:
        crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), settings)
    assert "\n" not in str(failed.value)
    assert "Traceback" not in capfd.readouterr().err
    (count, told) = sorted(tmp_path.rglob("*.json*"))  # nothing in the raw zone, but the request counts for the day
    assert count.parent.parent == tmp_path / "crawling" / "hnsmall"
    assert told.parent.parent == tmp_path / "faults" / "hnsmall"


def test_a_killed_crawl_process_is_a_failure_and_leaves_no_run(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [unavailable("broadDay", retry_after="250")]
    store = open_store(str(tmp_path))
    here = psutil.Process().pid
    with ThreadPoolExecutor() as pool:
        told: list[Progress] = []
        crawling = pool.submit(crawl, "hnsmall", DAY, 1, NOON, store, standin.settings, told.append)
        wait_for(lambda: standin.faults.asked("broadDay"))
        (process,) = crawl_processes(here)
        wait_for(lambda: told and told[-1].requests == len(standin.faults.seen))
        process.send_signal(signal.SIGKILL)
        with pytest.raises(CrawlFailed, match="its process was killed by signal 9"):
            crawling.result(timeout=DEADLINE)
    assert store.list("raw/") == []


def test_a_killed_caller_takes_its_crawl_along_and_the_next_one_starts_clean(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [unavailable("broadDay", retry_after="250")]
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(tmp_path), standin.settings.model_dump_json()])
    wait_for(lambda: standin.faults.asked("broadDay"))
    (process,) = crawl_processes(caller.pid)
    caller.kill()
    caller.wait()
    process.wait(timeout=DEADLINE)
    store = open_store(str(tmp_path))
    assert list_runs(store, "hnsmall", "schedule") == []
    standin.faults.rules.clear()
    (schedule, products) = crawl("hnsmall", DAY, 1, NOON, store, standin.settings)
    for run in (schedule, products):
        assert list_runs(store, "hnsmall", run.dataset) == [run]
        assert len(list(read_items(store, run))) == 1


def test_starting_a_crawl_does_not_import_scrapy_here() -> None:
    code = (
        "import sys, crawlers.runner.crawl; print('scrapy' in sys.modules, 'twisted.internet.reactor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
