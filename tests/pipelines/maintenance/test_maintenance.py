"""Maintenance: what goes, what stays, and that a dry run and a killed run do no harm."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, func, insert, select

from artifacts import release as releases
from artifacts.canary import Canary, end_canary, start_canary
from artifacts.errors import StoreError
from artifacts.raw import list_runs, new_run_id
from artifacts.s3 import S3Store
from artifacts.store import Store
from pipelines.load.ledger import record_loaded, table_of
from pipelines.logs.ingest import ingest_logs
from pipelines.logs.reconcile import reconcile_all
from pipelines.maintenance import rows
from pipelines.maintenance.run import MaintenanceFailed, maintain
from pipelines.report import Report, record
from pipelines.settings import MOST_DAYS, PipelineSettings
from pipelines.step_locks import ARTIFACTS, shared_lock
from sql.service import catalog
from sql.warehouse import steps
from sql.warehouse.events import UserEvent
from sql.warehouse.steps import StepRun
from tests.builders.command_line import run_ukok
from tests.builders.events import land
from tests.builders.raw_runs import kst, put, put_shows, show
from tests.builders.small_catalog import fill
from tests.builders.tiny_release import build, make_live
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)


KEPT_DAYS = ("keep_raw_days", "keep_event_days", "keep_report_days")


def test_the_longest_retention_deletes_nothing(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    """Who wants to keep everything sets a large number, and learns how large it may be."""
    for name in KEPT_DAYS:
        with pytest.raises(ValidationError, match=f"less than or equal to {MOST_DAYS}"):
            PipelineSettings.model_validate({name: MOST_DAYS + 1})
    store.put("reports/crawl/kok/19700101T000000000000Z-aaaaaa.html", b"")
    longest = dict.fromkeys(KEPT_DAYS, MOST_DAYS)
    assert clean(service, warehouse, store, tmp_path, dry_run=False, **longest)["reports"].written == 0


def clean(
    service: Engine, warehouse: Engine, store: Store, folder: Path, *, dry_run: bool = False, **settings: int
) -> Mapping[str, Report]:
    kept = PipelineSettings(var_dir=folder).model_copy(update=settings)
    reports = maintain(service, warehouse, store, kept, NOW, dry_run)
    return {report.step.removeprefix("maintenance_"): report for report in reports}


@embedded_only
def test_old_releases_go_with_their_models_and_datasets(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    fill(service)
    versions = [build(service, warehouse, store, NOW - age * DAY) for age in (9, 8, 7, 6, 5)]
    make_live(store, versions[0])
    make_live(store, versions[1])
    start_canary(store, Canary(version=versions[2], baseline=versions[1], share=0.1, since=NOW))
    assert clean(service, warehouse, store, tmp_path, keep_releases=2)["releases"].written == 0, "the canary stays"
    assert releases.list_releases(store) == versions
    end_canary(store)
    before = store.list("")
    dry = clean(service, warehouse, store, tmp_path, dry_run=True, keep_releases=2)
    assert store.list("") == before
    assert dry["releases"].details["names"] == [f"releases/{versions[2]}"]
    done = clean(service, warehouse, store, tmp_path, keep_releases=2)
    assert done["releases"].written == dry["releases"].written > 1
    assert done["releases"].details["bytes"] == dry["releases"].details["bytes"] > 0
    assert releases.list_releases(store) == [*versions[:2], *versions[3:]]
    # the models of kept releases stay, though newer ones exist
    assert len({key.split("/")[2] for key in store.list("models/bert/")}) == 4
    for version in releases.list_releases(store):
        releases.fetch(store, version, tmp_path / "cache")
    again = clean(service, warehouse, store, tmp_path, keep_releases=2)
    assert sum(report.written for report in again.values()) == 0
    assert releases.rollback(store) == versions[0]


@embedded_only
def test_a_half_deleted_release_is_not_listed_and_goes(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(service)
    old, new = (build(service, warehouse, store, NOW - age * DAY) for age in (9, 8))
    make_live(store, new)
    delete = type(store).delete
    deleted: list[str] = []

    def break_down(self: Store, key: str) -> None:
        if len(deleted) == 3:
            raise StoreError("the store is away")
        deleted.append(key)
        delete(self, key)

    monkeypatch.setattr(type(store), "delete", break_down)
    with pytest.raises(MaintenanceFailed, match="releases: the store is away"):
        clean(service, warehouse, store, tmp_path, keep_releases=1)
    monkeypatch.undo()
    assert deleted[0] == f"releases/{old}/manifest.json"
    assert releases.list_releases(store) == [new]
    assert store.list(f"releases/{old}/")
    clean(service, warehouse, store, tmp_path, keep_releases=1)
    assert store.list(f"releases/{old}/") == []


@embedded_only
def test_models_stay_while_a_training_runs(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    store.put("datasets/recipes/1/TABLES", b"")
    with shared_lock(warehouse, ARTIFACTS):
        reports = clean(service, warehouse, store, tmp_path)
    assert reports["datasets"].details["skipped"]
    assert store.exists("datasets/recipes/1/TABLES")
    clean(service, warehouse, store, tmp_path)
    assert not store.exists("datasets/recipes/1/TABLES")


def test_old_raw_files_go_once_both_databases_have_them(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    runs = [put_shows(store, kst("02:00") - age * DAY, [show("04:00", "05:00")]) for age in (70, 60, 55, 50, 1)]
    state = [put(store, "hnsmall", "pages", kst("02:00") - age * DAY, [], []) for age in (70, 60)]
    for run in runs[:3]:
        with service.begin() as conn:
            record_loaded(conn, table_of(catalog.LoadedFile), run, 1, ["channel 1"] if run == runs[2] else [])
    with warehouse.begin() as conn:
        for run in (runs[0], runs[2]):
            record_loaded(conn, table_of(steps.LoadedFile), run, 1)
    store.put("raw/hnsmall/schedule/dt=2025-06-01/20250601T000000000000Z-abcdef.jsonl.gz", b"never finished")
    report = clean(service, warehouse, store, tmp_path, keep_raw_days=40, keep_report_days=40)["raw"]
    assert report.details["old files that are not loaded, or not in full"] == 3
    assert list_runs(store, "hnsmall", "schedule") == runs[1:]
    assert list_runs(store, "hnsmall", "pages") == state[1:]
    assert not [key for key in store.list("raw/hnsmall/schedule/") if "dt=2025-06-01" in key or runs[0].run_id in key]


def test_only_ingested_events_leave_the_landing_table(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    ages = {1: 35, 2: 40, 3: 40, 4: 34, 5: 1}
    landed = [
        {"event_id": UUID(int=number), "received_at": NOW - age * DAY, "event_type": "" if number == 2 else "view"}
        for number, age in ages.items()
    ]
    with warehouse.begin() as conn:
        conn.execute(insert(UserEvent), [row | {"payload": {}} for row in landed])
    for start, end in ((NOW - 45 * DAY, NOW - 36 * DAY), (NOW - 34 * DAY, NOW)):
        ingest_logs(warehouse, store, start, end, now=NOW)
    report = clean(service, warehouse, store, tmp_path)["events"]
    assert report.details["kept since an older event is not ingested"] == 2
    with warehouse.connect() as conn:
        left = conn.scalars(select(UserEvent.event_id).order_by(UserEvent.event_id)).all()
    assert [event.int for event in left] == [1, 4, 5]
    reconcile_all(warehouse, store)


@embedded_only
def test_events_that_land_meanwhile_do_not_hinder_deletion(
    warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "ROWS_PER_TRANSACTION", 1)
    land(warehouse, NOW - 40 * DAY)
    assert rows.find_events(warehouse, NOW - 30 * DAY).garbage == []
    ingest_logs(warehouse, store, None, None, now=NOW)
    (old,) = rows.find_events(warehouse, NOW - 30 * DAY).garbage
    late = {land(warehouse, NOW - age * DAY) for age in (43, 42, 41)}
    old.remove()
    with warehouse.connect() as conn:
        assert set(conn.scalars(select(UserEvent.event_id))) == late


def test_the_last_report_of_each_step_stays(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    row = {"rows_read": 0, "rows_written": 0, "rows_unchanged": 0, "rejected": {}, "details": {}}
    ages = {"load_kok": (200, 150), "link": (3,)}
    with warehouse.begin() as conn:
        for step, days in ages.items():
            for age in days:
                at = NOW - age * DAY
                conn.execute(
                    insert(StepRun).values(run_id=new_run_id(at), step=step, status="done", started_at=at, **row)
                )
    clean(service, warehouse, store, tmp_path)
    with warehouse.connect() as conn:
        oldest = select(func.min(StepRun.started_at)).where(StepRun.step == "load_kok")
        assert conn.scalar(oldest) == NOW - 150 * DAY


def test_old_reports_and_log_files_go(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    old, new = new_run_id(NOW - 91 * DAY), new_run_id(NOW - 89 * DAY)
    for run_id in (old, new):
        store.put(f"reports/crawl/kok/{run_id}.html", b"report")
        store.put(f"faults/kok/{run_id}/1.html.gz", b"page")
        store.put(f"rejects/load_kok/{run_id}.jsonl.gz", b"rows")
    for name, age in (("run-1.log", 91), ("run-2.log", 89)):
        path = tmp_path / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, times=((NOW - age * DAY).timestamp(),) * 2)
    clean(service, warehouse, store, tmp_path)
    assert store.list("reports/") == [f"reports/crawl/kok/{new}.html"]
    assert store.list("faults/") == [f"faults/kok/{new}/1.html.gz"]
    assert store.list("rejects/") == [f"rejects/load_kok/{new}.jsonl.gz"]
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["run-2.log"]


def test_unfinished_uploads_are_discarded(store: Store, tmp_path: Path) -> None:
    store.put("a/whole", b"1")
    begin_upload(store)
    assert store.unfinished_uploads(datetime(2020, 1, 1, tzinfo=UTC)) == []
    later = datetime(2100, 1, 1, tzinfo=UTC)
    (upload,) = store.unfinished_uploads(later)
    assert upload.size == 6_000_000
    store.discard_upload(upload)
    store.discard_upload(upload)
    assert store.unfinished_uploads(later) == []
    assert store.sizes("") == {"a/whole": 1}


def begin_upload(store: Store) -> None:
    """Leave an upload as a process leaves it that is killed while it writes."""
    part = b"x" * 6_000_000
    if isinstance(store, S3Store):
        client, key = store._client, f"{store.prefix}a/cut"
        upload = client.create_multipart_upload(Bucket=store.bucket, Key=key)["UploadId"]
        client.upload_part(Bucket=store.bucket, Key=key, UploadId=upload, PartNumber=1, Body=part)
    else:
        incoming = Path(str(store.__dict__["root"])) / ".incoming"
        (incoming / "cut").write_bytes(part)


@embedded_only
def test_a_kind_that_fails_does_not_stop_the_others(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    store.put(releases.CURRENT, b"{")
    store.put(f"rejects/load_kok/{new_run_id(NOW - 91 * DAY)}.jsonl.gz", b"rows")
    with pytest.raises(MaintenanceFailed, match=r"releases: .*CURRENT is not readable"):
        clean(service, warehouse, store, tmp_path)
    assert store.list("rejects/") == []


def test_a_dry_run_changes_nothing_and_is_not_recorded(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    with record(warehouse, store, "link"):
        pass
    store.put(f"rejects/load_kok/{new_run_id(NOW - 91 * DAY)}.jsonl.gz", b"rows")
    reports = clean(service, warehouse, store, tmp_path, dry_run=True)
    assert reports["reports"].written == 1
    assert len(store.list("rejects/")) == 1
    with warehouse.connect() as conn:
        assert conn.scalars(select(StepRun.step)).all() == ["link"]


@embedded_only
def test_the_commands_list_first_and_delete_on_demand(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stack_env: dict[str, str],
    service: Engine,
    warehouse: Engine,
    store: Store,
) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)
    old = f"rejects/load_kok/{new_run_id(NOW - 91 * DAY)}"
    store.put(f"{old}.jsonl.gz", b"rows")
    store.put("datasets/recipes/1/TABLES", b"")
    listed = run_ukok(monkeypatch, capsys, "maintenance")
    assert (listed.code, listed.err) == (0, "")
    assert old in listed.out
    assert "nothing was changed: --apply deletes it" in listed.out
    pruned = run_ukok(monkeypatch, capsys, "release", "prune", "--apply")
    assert "datasets/recipes/1" in pruned.out
    assert store.list("rejects/") == [f"{old}.jsonl.gz"]
    assert run_ukok(monkeypatch, capsys, "maintenance", "--apply").code == 0
    assert store.list("rejects/") == store.list("datasets/") == []
