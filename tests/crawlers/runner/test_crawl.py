"""A crawl from start to raw zone: refusals, run reports, failures and kills."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from artifacts.open import open_store
from artifacts.raw import list_runs, read_items
from artifacts.store import Store
from crawlers.job import Job, Progress
from crawlers.run_report import read_crawl_report
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.runner.subprocess import run_process
from crawlers.settings import CrawlSettings
from crawlers.standin.faults import unavailable
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import DAY, NOON, catalog, kok, show
from tests.builders.waiting import until

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


def crawl_processes(parent: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children() if is_crawl(child)]


def is_crawl(process: psutil.Process) -> bool:
    """Whether a process is a crawl that runs; one that has just ended (a zombie) has no command line."""
    try:
        return "crawlers.scrapy_process.main" in process.cmdline()
    except psutil.NoSuchProcess:  # ZombieProcess is one
        return False


def test_a_child_that_has_just_ended_is_no_crawl() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    child = psutil.Process(ended.pid)
    until(lambda: child.status() == psutil.STATUS_ZOMBIE, "the crawl process to end", DEADLINE)
    assert not is_crawl(child)
    assert crawl_processes(psutil.Process().pid) == []
    ended.wait()


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
def test_real_hosts_need_a_contact_and_a_pause(settings: CrawlSettings, reason: str, tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match=reason):
        crawl("kok", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_the_runs_of_a_crawl_share_their_id_and_have_reports(standin: Standin, store: Store) -> None:
    runs = crawl("kok", DAY, 1, NOON, store, standin.settings)
    assert [run.dataset for run in runs] == ["prices", "products"]
    assert len({run.run_id for run in runs}) == 1
    assert runs[0].run_id.startswith("20250806T030000000000Z-")
    for run in runs:
        assert list_runs(store, "kok", run.dataset) == [run]
        report = read_crawl_report(store, run)
        assert (report.run_id, report.source, report.day, report.started_at) == (run.run_id, "kok", DAY, NOON)
        assert report.finished_at > report.started_at
        assert report.contract_check is not None
        assert report.scopes
        assert report.taken_over == {}
        traffic = report.traffic
        assert traffic.requests == traffic.by_status["200"] == sum(requests for _, requests, _ in traffic.timeline)
        assert traffic.bytes == sum(size for *_, size in traffic.timeline) > 0
        assert sum(count for _, count in traffic.latency_ms.histogram) == traffic.requests
        assert report.budget.used_before == 0
        assert (report.dataset, report.items) == (run.dataset, 2)
        assert len(list(read_items(store, run))) == 2


def test_an_unreachable_host_is_a_failure_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = CrawlSettings(hnsmall_url="http://127.0.0.1:9/www.hnsmall.com", crawl_delay_seconds=0, crawl_retries=0)
    with pytest.raises(CrawlFailed, match=r"could not be read \(Connection was refused.*\), so") as failed:
        crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), settings)
    assert "\n" not in str(failed.value)
    assert "Traceback" not in capfd.readouterr().err
    (checkpoint, report) = sorted(tmp_path.rglob("*.json*"))  # no raw run, but the request counts for the day
    assert checkpoint.parent.parent == tmp_path / "crawling" / "hnsmall"
    assert report.parent.parent == tmp_path / "faults" / "hnsmall"


@pytest.mark.parametrize(("file", "images"), [("summary.json", False), ("images.json", True)])
def test_a_damaged_file_of_the_crawl_process_is_named(
    file: str, images: bool, standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_and_damage(job: Job, on_poll: Callable[[], None]) -> None:
        run_process(job, on_poll)
        (job.folder / file).write_text("{}")

    monkeypatch.setattr("crawlers.runner.crawl.run_process", run_and_damage)
    settings = standin.settings.model_copy(update={"crawl_images": images})
    with pytest.raises(CrawlFailed, match=rf"crawl of kok failed: its file {file} is damaged: \w+: Field required"):
        crawl("kok", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_a_killed_crawl_process_is_a_failure_and_leaves_no_run(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [unavailable("broadDay", retry_after="250")]
    store = open_store(str(tmp_path))
    here = psutil.Process().pid
    with ThreadPoolExecutor() as pool:
        progress: list[Progress] = []
        crawling = pool.submit(crawl, "hnsmall", DAY, 1, NOON, store, standin.settings, progress.append)
        until(lambda: standin.faults.requests_for("broadDay"), "the first request", DEADLINE)
        (process,) = crawl_processes(here)
        until(lambda: progress and progress[-1].requests == len(standin.faults.seen), "the progress", DEADLINE)
        process.send_signal(signal.SIGKILL)
        with pytest.raises(CrawlFailed, match="its process was killed by signal 9"):
            crawling.result(timeout=DEADLINE)
    assert store.list("raw/") == []


def test_a_killed_caller_ends_its_crawl_and_the_next_one_is_clean(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [unavailable("broadDay", retry_after="250")]
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(tmp_path), standin.settings.model_dump_json()])
    until(lambda: standin.faults.requests_for("broadDay"), "the first request", DEADLINE)
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


def test_starting_a_crawl_imports_no_scrapy_in_the_parent() -> None:
    code = (
        "import sys, crawlers.runner.crawl; print('scrapy' in sys.modules, 'twisted.internet.reactor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
