"""`ukok status`: freshness, rows, last runs, held files and the live release; also where parts are missing or away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, make_url, text, update

from artifacts.canary import CANARY, Canary, start_canary
from artifacts.store import Store
from pipelines.load.gates import FileHeldBack
from pipelines.load.sources import load_source
from pipelines.report import record
from pipelines.status.read import read_status
from pipelines.status.schemas import SystemStatus
from pipelines.watch.rules import Limits
from pipelines.watch.step import watch_release
from sql.engines import service_engine, warehouse_engine
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
    held = put_shows(store, kst("11:00"), listed[:8])
    assert [file.held for file in read_status(NOW).unloaded] == [False, False, False, True]
    with pytest.raises(FileHeldBack):
        load_source("hnsmall", service, warehouse, store)
    waiting = put_shows(store, kst("14:00"), listed[:8], complete=False)
    files = {file.run_id: file for file in read_status(NOW).unloaded}
    assert {run_id: file.held for run_id, file in files.items()} == {held.run_id: True, waiting.run_id: False}
    assert "channel_id 1, day 2025-08-06: nothing is listed from 12:00" in (files[held.run_id].reason or "")
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
    assert (status.canary, status.canary_problem) == (None, None)
    _check_canary(ukok, warehouse, store, version)


def _check_canary(ukok: Ukok, warehouse: Engine, store: Store, live: str) -> None:
    start_canary(store, Canary(version="20250807T000000Z-1", baseline=live, share=0.25, since=NOW))
    shown = " ".join(ukok("status").out.split())
    assert f"25.0% of the visitors, {live} to the others" in shown
    assert "decision none yet: run `ukok release watch` every hour" in shown
    watch_release(warehouse, store, Limits(timedelta(hours=24), 1000), NOW + timedelta(hours=1))
    status = SystemStatus.model_validate_json(ukok("status", "--json").out)
    assert status.canary is not None
    assert (status.canary.decision, status.canary.watched_at) == ("wait", NOW + timedelta(hours=1))
    store.put(CANARY, b"garbage")
    shown = " ".join(ukok("status").out.split())
    assert f"unreadable {CANARY} is not readable" in shown


@embedded_only
@pytest.mark.parametrize("current", [b"{", b"[" * 100_000, b'{"version": "20250806T000000Z-0", "history": []}'])
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


@pytest.mark.parametrize(
    ("database", "table", "other"),
    [
        ("service", "loaded_file", "warehouse"),
        ("warehouse", "step_run", "service"),
        ("warehouse", "release", "service"),
    ],
)
def test_an_incomplete_database_leaves_the_other_shown(
    ukok: Ukok, on_stack: None, stack: Stack, database: str, table: str, other: str
) -> None:
    engine = service_engine(stack.service_url) if database == "service" else warehouse_engine(stack.warehouse_url)
    with renamed(engine, table):
        shown = ukok("status")
        found = SystemStatus.model_validate_json(ukok("status", "--json").out)
    assert (shown.code, shown.err) == (0, "")
    assert cells(shown.out, database)[1] == "incomplete"
    assert f"has no table {table}: run `ukok db upgrade`" in shown.out
    assert cells(shown.out, other)[1] == "ok"
    assert {counted.database for counted in found.rows} == {other}


@contextmanager
def renamed(engine: Engine, table: str) -> Iterator[None]:
    """Hide a table of the database meanwhile."""
    with engine.begin() as conn:
        conn.execute(text(f"ALTER TABLE {table} RENAME TO hidden"))
    try:
        yield
    finally:
        with engine.begin() as conn:
            conn.execute(text(f"ALTER TABLE hidden RENAME TO {table}"))
        engine.dispose()


@pytest.mark.parametrize("table", ["step_run", "fct_price"])
def test_a_locked_table_leaves_the_others_shown(ukok: Ukok, on_stack: None, warehouse: Engine, table: str) -> None:
    with warehouse.begin() as conn:
        conn.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        shown = ukok("status", "--json")
    assert (shown.code, shown.err) == (1, "")
    found = SystemStatus.model_validate_json(shown.out)
    assert [component.state for component in found.components] == ["ok", "unreadable", "ok"]
    counted = {rows.table for rows in found.rows}
    assert {"recipe", "fct_broadcast"} <= counted
    assert ("fct_price" in counted) == (table == "step_run")


def test_a_locked_service_table_leaves_the_others_shown(ukok: Ukok, on_stack: None, service: Engine) -> None:
    mariadb = service.dialect.name != "postgresql"
    with service.connect() as conn:
        conn.execute(text("LOCK TABLES recipe WRITE" if mariadb else "LOCK TABLE recipe IN ACCESS EXCLUSIVE MODE"))
        found = SystemStatus.model_validate_json(ukok("status", "--json").out)
        if mariadb:
            conn.execute(text("UNLOCK TABLES"))
    assert [component.state for component in found.components] == ["unreadable", "ok", "ok"]
    counted = {rows.table for rows in found.rows if rows.database == "service"}
    assert counted == {"kok_product", "home_shopping_product", "broadcast", "product_item", "user_account"}


@embedded_only
@pytest.mark.parametrize("odd", ['{"version": 5}', "[1]", "7", "null", '{"version": {}}'])
def test_odd_details_of_a_step_are_tolerated(on_stack: None, warehouse: Engine, store: Store, odd: str) -> None:
    with record(warehouse, store, "load_kok"):
        pass
    with warehouse.begin() as conn:
        changed = "UPDATE step_run SET details = CAST(:odd AS jsonb), rejected = CAST(:odd AS jsonb)"
        conn.execute(text(changed), {"odd": odd})
    (step,) = read_status(NOW).steps
    assert step.detail.startswith("0 read, 0 written, 0 unchanged")


def test_a_run_whose_process_is_gone_is_shown_as_killed(on_stack: None, warehouse: Engine, store: Store) -> None:
    row = {"rows_read": 0, "rows_written": 0, "rows_unchanged": 0, "rejected": {}, "details": {}}
    with record(warehouse, store, "load_kok"):
        with warehouse.begin() as conn:
            conn.execute(insert(StepRun).values(run_id="1", step="link", status="running", started_at=NOW, **row))
        shown = {step.step: step.status for step in read_status(NOW).steps}
    assert shown == {"load_kok": "running", "link": "killed"}


def test_free_space_is_shown(ukok: Ukok, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path / "not" / "made"))
    disks = {disk.holds: disk for disk in read_status(NOW).disks}
    assert set(disks) == {"UKOK_VAR_DIR", "artifacts"}
    assert 0 < disks["artifacts"].free < disks["artifacts"].total
    assert "GB free of" in ukok("status").out


def test_a_store_below_a_file_is_unreachable(ukok: Ukok, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", str(tmp_path / "file" / "store"))
    shown = ukok("status")
    assert (shown.code, shown.err) == (1, "")
    assert cells(shown.out, "artifacts")[1] == "unreachable"
    assert "UKOK_ARTIFACTS_URL" in shown.out


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
