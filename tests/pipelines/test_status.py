"""`ukok status`: freshness, rows, last runs, held files and the live release; also where parts are missing or away."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, make_url, update

from artifacts.store import Store
from pipelines.load.gates import FileHeldBack
from pipelines.load.sources import load_source
from pipelines.report import record
from pipelines.status import SystemStatus, read_status
from sql.warehouse.steps import StepRun
from tests.builders.command_line import Ended, run_ukok
from tests.builders.raw_runs import kst, put_shows, show
from tests.builders.servers import free_port
from tests.builders.small_catalog import fill
from tests.builders.tiny_release import build, make_live
from tests.conftest import Stack, embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)
Ukok = Callable[..., Ended]


@pytest.fixture
def ukok(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ukok:
    monkeypatch.chdir(tmp_path)
    return partial(run_ukok, monkeypatch, capsys)


@pytest.fixture
def on_stack(monkeypatch: pytest.MonkeyPatch, stack_env: dict[str, str]) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)


def cells(output: str, name: str) -> list[str]:
    """The words of the line that begins with a name."""
    return next(line.split() for line in output.splitlines() if line.split()[:1] == [name])


def test_an_empty_system_is_shown_and_left_alone(ukok: Ukok, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path / "var"))
    ended = ukok("status")
    assert (ended.code, ended.err) == (0, "")
    assert cells(ended.out, "service")[1] == cells(ended.out, "warehouse")[1] == "stopped"
    assert cells(ended.out, "kok") == ["kok", "-", "-"]
    assert cells(ended.out, "none")[:3] == ["none", "run", "`ukok"]
    assert not (tmp_path / "var").exists()


def test_ages_are_counted_from_the_time_that_is_passed_in(on_stack: None, warehouse: Engine) -> None:
    run = {"rows_read": 5, "rows_written": 2, "rows_unchanged": 1, "rejected": {}, "details": {}, "seconds": 1.5}
    runs = [
        run | {"run_id": "1", "step": "crawl_kok", "status": "done", "started_at": NOW - timedelta(days=2)},
        run | {"run_id": "2", "step": "crawl_kok", "status": "failed", "started_at": NOW, "error": "the mall is away"},
        run | {"run_id": "3", "step": "load_kok", "status": "done", "started_at": NOW - timedelta(hours=1)},
    ]
    with warehouse.begin() as conn:
        for values in runs:
            conn.execute(insert(StepRun).values(values))
    status = read_status(NOW)
    assert status.at == NOW
    mall = next(source for source in status.sources if source.source == "kok")
    assert (mall.crawled_at, mall.loaded_at) == (NOW - timedelta(days=2), NOW - timedelta(hours=1))
    assert [(step.step, step.status, step.detail) for step in status.steps] == [
        ("crawl_kok", "failed", "the mall is away"),
        ("load_kok", "done", "5 read, 2 written, 1 unchanged"),
    ]


def test_a_file_that_a_load_refused_is_held_back(
    ukok: Ukok, on_stack: None, service: Engine, warehouse: Engine, store: Store
) -> None:
    listed = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(4, 24)]
    for crawl in range(3):
        put_shows(store, kst("02:00") + timedelta(hours=3 * crawl), listed)
    held = put_shows(store, kst("11:00"), listed[:4])
    assert [file.held for file in read_status(NOW).unloaded] == [False] * 4
    with pytest.raises(FileHeldBack):
        load_source("hnsmall", service, warehouse, store)
    with record(warehouse, store, "crawl_hnsmall") as report:
        report.details["run_id"] = (waiting := put_shows(store, kst("14:00"), listed)).run_id
    files = {file.run_id: file for file in read_status(NOW).unloaded}
    assert {run_id: file.held for run_id, file in files.items()} == {held.run_id: True, waiting.run_id: False}
    assert "4 items for channel_id 1, days ahead 0, usually 20" in (files[held.run_id].reason or "")
    shown = ukok("status").out
    assert f"hnsmall  schedule  {held.run_id}  held back" in shown
    assert f"hnsmall  schedule  {waiting.run_id}  waiting" in shown


@embedded_only
def test_rows_and_the_live_release_are_shown(
    ukok: Ukok, on_stack: None, service: Engine, warehouse: Engine, store: Store
) -> None:
    fill(service)
    version = build(service, warehouse, store, NOW)
    make_live(store, version)
    shown = ukok("status")
    assert shown.code == 0
    assert cells(shown.out, "version") == ["version", version]
    assert "recipes, " in shown.out
    assert cells(shown.out, "build_release")[-1] == version
    status = SystemStatus.model_validate_json(ukok("status", "--json").out)
    rows = {(table.database, table.table): table.rows for table in status.rows}
    assert rows["service", "recipe"] > 0
    assert rows["warehouse", "fct_price"] == 0
    assert status.release is not None
    assert (status.release.version, status.release.promoted_at) == (version, None)
    assert status.release.recipes == rows["service", "recipe"]


@embedded_only
@pytest.mark.parametrize("current", [b"{", b'{"version": "20250806T000000Z-0", "history": []}'])
def test_an_unreadable_release_is_no_unreachable_store(
    ukok: Ukok, on_stack: None, service: Engine, warehouse: Engine, store: Store, current: bytes
) -> None:
    store.put("releases/CURRENT", current)
    shown = ukok("status")
    assert (shown.code, cells(shown.out, "artifacts")[1]) == (0, "ok")
    assert cells(shown.out, "unreadable")
    status = SystemStatus.model_validate_json(ukok("status", "--json").out)
    assert status.release is None
    assert status.release_problem


def test_a_database_without_tables_is_named(
    ukok: Ukok, on_stack: None, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = make_url(stack.warehouse_url).set(database="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv("UKOK_WAREHOUSE_DB_URL", empty)
    monkeypatch.setenv("UKOK_SERVICE_DB_URL", stack.service_url)
    shown = ukok("status")
    assert shown.code == 0
    assert cells(shown.out, "service")[1] == "ok"
    assert cells(shown.out, "warehouse")[1] == "empty"
    assert "run `ukok db upgrade`" in shown.out


def test_unreachable_parts_have_a_line_each_and_fail(ukok: Ukok, monkeypatch: pytest.MonkeyPatch) -> None:
    for database in ("SERVICE", "WAREHOUSE"):
        monkeypatch.setenv(f"UKOK_{database}_DB_URL", f"postgresql://nobody:hunter2@127.0.0.1:{free_port()}/none")
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", "s3://ukok/none")
    monkeypatch.setenv("UKOK_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    shown = ukok("status")
    assert (shown.code, shown.err) == (1, "")
    states = {name: cells(shown.out, name)[1] for name in ("service", "warehouse", "artifacts")}
    assert set(states.values()) == {"unreachable"}
    assert "hunter2" not in shown.out
    assert ukok("status", "--json").code == 1


def test_a_narrow_terminal_loses_no_text(
    ukok: Ukok, on_stack: None, warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with record(warehouse, store, "load_kok"):
        pass
    reason = "FileHeldBack: 300 of 600 items rejected"
    with warehouse.begin() as conn:
        conn.execute(update(StepRun).values(status="failed", error=reason))
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    shown = ukok("status").out
    assert all(word in shown for word in ("FileHeldBack", "rejected"))
