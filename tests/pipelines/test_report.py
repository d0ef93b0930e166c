"""Reports of steps: figures, rejected items and failures."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from artifacts.errors import StoreError
from artifacts.store import Store
from pipelines.report import record
from sql.warehouse.steps import StepRun

DAY = (datetime(2025, 8, 5, 15, tzinfo=UTC), datetime(2025, 8, 6, 15, tzinfo=UTC))


def test_figures_and_rejected_items_are_kept(warehouse: Engine, store: Store) -> None:
    with record(warehouse, store, "load_kok", interval=DAY) as report:
        report.read, report.written, report.unchanged = 5, 2, 1
        report.reject({"product_id": 7, "price": "???"}, "bad price", "price '???' is no number")
        report.reject({"product_id": 8}, "no name")
        report.details["files"] = 1
    with warehouse.connect() as conn:
        row = conn.execute(select(StepRun)).one()
    assert (row.step, row.status, row.error) == ("load_kok", "done", None)
    assert (row.rows_read, row.rows_written, row.rows_unchanged) == (5, 2, 1)
    assert row.rejected == {"bad price": 1, "no name": 1}
    assert (row.interval_start, row.interval_end) == DAY
    assert row.details == {"files": 1}
    assert row.seconds >= 0
    kept = [json.loads(line) for line in gzip.decompress(store.get(report.rejects_key)).splitlines()]
    assert kept[0] == {
        "reason": "bad price",
        "detail": "price '???' is no number",
        "item": {"product_id": 7, "price": "???"},
    }
    assert "1 rejected (bad price)" in str(report)


def test_a_failed_step_is_recorded_with_its_reason_and_raises(warehouse: Engine, store: Store) -> None:
    def fail() -> None:
        with record(warehouse, store, "load_kok") as report:
            report.read = 3
            report.reject({"n": 1}, "bad")
            raise RuntimeError("gate: 40 % rejected,\n5 % allowed")

    with pytest.raises(RuntimeError, match="gate"):
        fail()
    with warehouse.connect() as conn:
        row = conn.execute(select(StepRun)).one()
    assert (row.status, row.rows_read) == ("failed", 3)
    assert row.error == "RuntimeError: gate: 40 % rejected, 5 % allowed"
    assert store.list("rejects/load_kok/") == [f"rejects/load_kok/{row.run_id}.jsonl.gz"]


def test_a_step_whose_rejects_cannot_be_kept_has_failed(
    warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr(type(store), "put", break_down)
    with pytest.raises(StoreError), record(warehouse, store, "load_kok") as report:
        report.reject({"price": -1}, "price_range")
    with warehouse.connect() as conn:
        row = conn.execute(select(StepRun)).one()
    assert (row.status, row.error) == ("failed", "StoreError: the store is away")


def test_a_killed_step_stays_visible_as_running(warehouse: Engine, store: Store) -> None:
    with record(warehouse, store, "load_kok") as report, warehouse.connect() as conn:
        row = conn.execute(select(StepRun).where(StepRun.run_id == report.run_id)).one()
    assert (row.status, row.seconds) == ("running", None)
