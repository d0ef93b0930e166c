"""`ukok run`: its steps, its output, its log file, and the server that it becomes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import psutil
import pytest
import structlog
from rich.console import Console
from sqlalchemy import Engine

from crawlers.items import CATEGORIES
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import unavailable
from crawlers.standin.server import running_standin
from pipelines import run as pipeline
from pipelines.cli.errors import reason_of
from pipelines.cli.main import main
from pipelines.cli.serve import stop_database
from pipelines.load.moved_shows import BROADCAST
from pipelines.progress import StepResult, run_steps
from pipelines.report import Report
from pipelines.run import Step, Watch, figures, steps
from sql import embedded
from tests.builders.raw_runs import DAY, kst, rows
from tests.builders.servers import embedded_folder, free_port
from tests.builders.small_crawl import kok
from tests.builders.small_crawl import show as standin_show
from tests.builders.waiting import until
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("default_signals")


def test_every_step_comes_after_those_that_it_needs() -> None:
    seen: set[str] = set()
    for step in steps(DAY, 1, kst("12:00"), Path("recipes.csv")):
        assert seen.issuperset(step.needs)
        seen.add(step.name)
    assert {"recipes", "crawl kok", "load nsmall", "link", "events", "train bert", "release"} <= seen
    assert "recipes" not in {step.name for step in steps(DAY, 1, kst("12:00"), None)}


def test_figures_of_several_reports_are_one_line() -> None:
    reports = [Report("load_kok", "1", read=1_000, written=20), Report("load_kok_history", "2", read=1_000)]
    assert figures(reports) == ("1,000 read, 20 written, 0 unchanged; history: 1,000 read, 0 written, 0 unchanged")


@pytest.fixture
def on_stack(monkeypatch: pytest.MonkeyPatch, stack_env: dict[str, str]) -> None:
    for name, value in (stack_env | {"UKOK_CRAWL_RETRIES": "0"}).items():
        monkeypatch.setenv(name, value)


def without_training(now: datetime) -> Iterator[Step]:
    """The steps of a run up to the link step."""
    for step in steps(DAY, 1, now, None):
        yield step
        if step.name == "link":
            return


def test_a_failed_source_leaves_the_others_linked(
    on_stack: None, monkeypatch: pytest.MonkeyPatch, service: Engine
) -> None:
    listed = tuple(standin_show(channel, "14:00", "15:00", channel * 10) for channel in (1, 2, 3, 4, 5, 6, 7))
    products = tuple(kok(1_000_000 + n, category=CATEGORIES[n % 13]) for n in range(26))
    with running_standin(Catalog(products, listed), now=kst("12:00")) as sources:
        sources.faults.rules.append(unavailable("mapi.nsmall.com"))
        for name, value in sources.env.items():
            monkeypatch.setenv(name, value)
        results = run_steps(without_training(kst("12:00")), Console(quiet=True), reason_of)
    statuses = {result.name: result.status for result in results}
    failed = {"crawl nsmall": "failed", "load nsmall": "skipped"}
    others = [f"{verb} {source}" for source in ("kok", "hmall", "hnsmall") for verb in ("crawl", "load")]
    assert statuses == failed | dict.fromkeys(["databases", *others, "link"], "done")
    assert "crawl of nsmall" in reason(results, "crawl nsmall")
    assert {source for (source,) in rows(service, BROADCAST, "source")} == {"hmall", "hnsmall"}


def reason(results: list[StepResult], name: str) -> str:
    return next(result.detail for result in results if result.name == name)


@pytest.fixture
def ukok_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let `ukok run` in this process run two steps, one of which has a bug; the folder that it works in."""

    def noisy(_: Watch) -> str:
        structlog.get_logger().info("structured line", step="noisy")
        sys.stderr.write("python stderr\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'child stderr\\n')"], check=True)
        return "3 read"

    def buggy(_: Watch) -> str:
        raise KeyError("price")

    fakes = [Step("noisy", noisy, ()), Step("buggy", buggy, ())]
    monkeypatch.setattr(pipeline, "steps", lambda *_: fakes)
    monkeypatch.setattr(sys, "argv", ["ukok", "run"])
    monkeypatch.setenv("UKOK_VAR_DIR", "var")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_prints_steps_and_logs_to_a_file(ukok_run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(lambda: None)
    assert ended.value.code == 1
    out, err = capfd.readouterr()
    first, *lines = out.splitlines()
    log = ukok_run / first.removeprefix("log: ")
    assert log.parent == ukok_run / "var" / "logs"
    assert [line.split(maxsplit=1)[0] for line in lines] == ["✓", "✗", "1"]
    assert lines[1].endswith("KeyError: 'price'")
    assert err == f"ukok: failed: buggy; log: {log.relative_to(ukok_run)}\n"
    logged = log.read_text()
    for line in ("structured line", "python stderr", "child stderr", "Traceback", "KeyError: 'price'"):
        assert line in logged
    sys.stderr.write("after\n")
    assert capfd.readouterr().err == "after\n"


def test_serving_replaces_the_process_that_trained(tmp_path: Path) -> None:
    port = free_port()
    code = f"""
import matplotlib.pyplot
from sql import embedded
from sql.settings import DatabaseSettings
from pipelines.cli.serve import replace_by_server
embedded.start(DatabaseSettings().var_dir)
replace_by_server({port}, database_too=True)
"""
    with embedded_folder() as var, (tmp_path / "log").open("wb") as log:
        env = os.environ | {"UKOK_VAR_DIR": str(var)}
        process = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            until(lambda: answers(port), "the API", seconds=200)
            libraries = {Path(region.path).name for region in psutil.Process(process.pid).memory_maps()}
            assert any(name.startswith("_pydantic_core") for name in libraries)
            assert not any(name.startswith("ft2font") for name in libraries), "matplotlib is still loaded"
            assert embedded.status(var).running
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert not embedded.status(var).running
        finally:
            process.kill()
            process.wait()
    said = (tmp_path / "log").read_text().splitlines()
    assert f"API   http://127.0.0.1:{port}" in said
    assert said[-1] == "stopped the embedded PostgreSQL"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_stops_the_server_it_started(number: signal.Signals, tmp_path: Path) -> None:
    code = f"""
import signal
from pathlib import Path
from pipelines import run, tasks
from pipelines.cli.main import main
from pipelines.run import Step

def upgrade(_):
    tasks.upgrade()
    Path({str(tmp_path / "upgraded")!r}).touch()
    while True:
        signal.pause()

run.steps = lambda *_: [Step("databases", upgrade, ())]
main()
"""
    with embedded_folder() as var, (tmp_path / "log").open("wb") as log:
        env = os.environ | {"UKOK_VAR_DIR": str(var)}
        process = subprocess.Popen([sys.executable, "-c", code, "run"], env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            until((tmp_path / "upgraded").exists, "the upgrade", seconds=100)
            process.send_signal(number)
            assert process.wait(60) != 0
            assert not embedded.status(var).running
        finally:
            process.kill()
            process.wait()
    assert "stopped the embedded PostgreSQL" in (tmp_path / "log").read_text()


def test_a_signal_before_the_server_starts_stops_it(tmp_path: Path) -> None:
    code = f"""
import signal
from sql import embedded
from sql.settings import DatabaseSettings
from pipelines.cli.serve import replace_by_server
from pipelines.cli.signals import block_stop_signals
embedded.start(DatabaseSettings().var_dir)
block_stop_signals()
signal.raise_signal(signal.SIGINT)
replace_by_server({free_port()}, database_too=True)
"""
    with embedded_folder() as var, (tmp_path / "log").open("wb") as log:
        env = os.environ | {"UKOK_VAR_DIR": str(var)}
        process = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            assert process.wait(100) != 0
            assert not embedded.status(var).running
        finally:
            process.kill()
            process.wait()


def test_a_second_signal_waits_until_the_server_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []

    def interrupted_stop(_: Path) -> bool:
        signal.raise_signal(signal.SIGINT)
        stopped.append("stopped")
        return True

    monkeypatch.setattr(embedded, "stop", interrupted_stop)
    with pytest.raises(KeyboardInterrupt):
        stop_database()
    assert stopped == ["stopped"]


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
