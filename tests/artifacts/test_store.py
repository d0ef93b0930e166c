"""Folder and S3 stores behave the same."""

import gzip
import io
import os
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from artifacts import datasets, raw, release
from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.folder import FolderStore
from artifacts.open import open_store
from artifacts.s3 import S3Store
from artifacts.store import Store
from pipelines.cli.errors import reason_of
from pipelines.errors import is_permanent

NOW = datetime(2025, 8, 6, 3, 4, 5, tzinfo=UTC)


def test_an_object_is_written_read_listed_and_deleted(store: Store, tmp_path: Path) -> None:
    store.put("a/b.txt", "콕 🍣".encode())
    (tmp_path / "big").write_bytes(b"x" * 9_000_000)
    store.put_file("a/big", tmp_path / "big")
    store.put("ab/c", b"1")
    assert store.get("a/b.txt").decode() == "콕 🍣"
    store.download("a/big", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "big").read_bytes()
    assert store.list("a/") == ["a/b.txt", "a/big"]
    assert store.list("a") == ["a/b.txt", "a/big", "ab/c"]
    assert store.exists("a/big")
    assert store.size("a/big") == 9_000_000
    store.delete("a/big")
    store.delete("a/big")
    assert not store.exists("a/big")


def test_objects_that_go_while_sizes_are_read_are_left_out(tmp_path: Path) -> None:
    """A backup lists the whole store while crawls delete their checkpoints."""

    class Busy(FolderStore):
        def list(self, prefix: str) -> list[str]:
            keys = super().list(prefix)
            self.delete("crawling/1")
            return keys

    store = Busy(tmp_path)
    store.put("crawling/1", b"1")
    store.put("crawling/2", b"22")
    assert store.sizes("") == {"crawling/2": 2}


def test_a_missing_object_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no/such"):
        store.get("no/such")
    with pytest.raises(NotFound, match="no/such"):
        store.download("no/such", tmp_path / "x")
    with pytest.raises(NotFound, match="no/such"):
        store.size("no/such")
    assert store.list("no/") == []


def test_a_conditional_write_compares_what_was_read(store: Store) -> None:
    store.put_if("pointer", b"1", None)
    with pytest.raises(Conflict):
        store.put_if("pointer", b"2", None)
    _, etag = store.get_versioned("pointer")
    store.put_if("pointer", b"2", etag)
    with pytest.raises(Conflict):
        store.put_if("pointer", b"3", etag)
    assert store.get("pointer") == b"2"


def test_exactly_one_of_many_conditional_writers_wins(store: Store) -> None:
    store.put("pointer", b"0")
    _, etag = store.get_versioned("pointer")
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            store.put_if("pointer", str(number).encode(), etag)
        except Conflict:
            outcomes.append("lost")
        else:
            outcomes.append(f"won {number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if outcome.startswith("won")]
    assert len(outcomes) == 8
    assert won == [f"won {store.get('pointer').decode()}"]


def test_a_folder_key_cannot_leave_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="leads out"):
        open_store(str(tmp_path / "store")).put("../outside", b"1")


def test_wrong_s3_credentials_are_a_clear_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(store, S3Store):
        return
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY") as caught:
        open_store(f"s3://{store.bucket}").put("x", b"1")
    assert "not-the-secret" not in str(caught.value)


def test_an_unreachable_s3_server_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKOK_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError, match="UKOK_S3_ENDPOINT_URL"):
        open_store("s3://bucket").get("x")


def test_an_unknown_artifact_url_is_refused() -> None:
    with pytest.raises(StoreError, match="UKOK_ARTIFACTS_URL"):
        open_store("ftp://host/x")


def _run(number: int) -> raw.RawRun:
    return raw.RawRun(f"20250806T0{number}0000000000Z-aaaaaa", "kok", "prices", date(2025, 8, 6))


def test_a_raw_run_comes_back_as_written_and_runs_sort_by_time(store: Store) -> None:
    items = [{"kok_product_id": 2**33, "name": "김치 🍲", "price": None, "observed_at": NOW}]
    for number in (2, 1):
        run = _run(number)
        report = raw.RunReport(run_id=run.run_id, source=run.source, dataset=run.dataset, day=run.day, items=1)
        raw.write_run(store, run, items, report)
    assert raw.list_runs(store, "kok", "prices") == [_run(1), _run(2)]
    assert raw.list_runs(store, "kok", "prices", since=date(2025, 8, 7)) == []
    assert list(raw.read_items(store, _run(1))) == [{**items[0], "observed_at": NOW.isoformat()}]
    assert raw.read_report(store, _run(1), raw.RunReport).run_id == _run(1).run_id


def test_a_run_without_its_report_does_not_exist(store: Store) -> None:
    store.put(f"{_run(1).stem}.jsonl.gz", gzip.compress(b"{}"))
    assert raw.list_runs(store, "kok", "prices") == []


def test_a_snapshot_is_named_by_its_rows(store: Store) -> None:
    tables = {"recipes": pd.DataFrame({"recipe_id": [1, 2], "title": ["김치찌개", "🍜"]})}
    version = datasets.write_snapshot(store, "ingredients", tables)
    assert datasets.write_snapshot(store, "ingredients", tables) == version
    stored = store.get(f"datasets/ingredients/{version}/recipes.parquet")
    assert pd.read_parquet(io.BytesIO(stored)).equals(tables["recipes"])
    other = {"recipes": tables["recipes"].assign(recipe_id=[1, 3])}
    assert datasets.write_snapshot(store, "ingredients", other) != version


def _manifest(folder: Path, version: str) -> release.BaseManifest:
    return release.BaseManifest(version=version, files=release.file_entries(folder))


def _publish(store: Store, folder: Path, version: str) -> None:
    (folder / "neighbours").mkdir(parents=True, exist_ok=True)
    (folder / "neighbours" / "table.npy").write_bytes(version.encode() * 100)
    (folder / "index.faiss").write_bytes(b"index of " + version.encode())
    release.publish(store, folder, _manifest(folder, version))


def test_a_release_is_published_promoted_fetched_and_rolled_back(store: Store, tmp_path: Path) -> None:
    assert release.current(store) is None
    _publish(store, tmp_path / "1", "v1")
    _publish(store, tmp_path / "2", "v2")
    release.promote(store, "v1", expected=None)
    release.promote(store, "v2", expected="v1")
    assert release.current(store) == "v2"
    assert release.list_releases(store) == ["v1", "v2"]
    folder = release.fetch(store, "v2", tmp_path / "cache")
    assert (folder / "index.faiss").read_bytes() == b"index of v2"
    assert release.rollback(store) == "v1"
    assert release.current(store) == "v1"
    with pytest.raises(StoreError, match="no earlier release"):
        release.rollback(store)


def test_the_second_of_two_publishers_loses(store: Store, tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        _publish(store, tmp_path / version, version)
    release.promote(store, "v1", expected=None)
    with pytest.raises(Conflict, match="v1, not None"):
        release.promote(store, "v2", expected=None)
    assert release.current(store) == "v1"


def test_a_published_release_is_immutable(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path / "1", "v1")
    (tmp_path / "1" / "index.faiss").write_bytes(b"another index")
    with pytest.raises(Conflict, match="v1 exists"):
        release.publish(store, tmp_path / "1", _manifest(tmp_path / "1", "v1"))
    assert release.fetch(store, "v1", tmp_path / "cache")


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_corrupt_release_names_the_file(store: Store, tmp_path: Path, damage: str) -> None:
    _publish(store, tmp_path / "1", "v1")
    key = "releases/v1/neighbours/table.npy"
    data = store.get(key)
    if damage == "delete":
        store.delete(key)
    else:
        store.put(key, data[:-3] if damage == "truncate" else b"?" + data[1:])
    with pytest.raises(release.CorruptRelease, match=r"neighbours/table\.npy"):
        release.fetch(store, "v1", tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*")) == []


def test_a_partial_upload_is_neither_promoted_nor_fetched(store: Store, tmp_path: Path) -> None:
    store.put("releases/v1/index.faiss", b"only this")
    for attempt in (
        lambda: release.promote(store, "v1", expected=None),
        lambda: release.fetch(store, "v1", tmp_path / "cache"),
    ):
        with pytest.raises(release.CorruptRelease, match="did not finish"):
            attempt()
    assert release.list_releases(store) == []
    assert release.current(store) is None


def test_a_damaged_cache_is_fetched_again(store: Store, tmp_path: Path) -> None:
    _publish(store, tmp_path / "1", "v1")
    folder = release.fetch(store, "v1", tmp_path / "cache")
    (folder / "index.faiss").write_bytes(b"bit rot")
    assert (release.fetch(store, "v1", tmp_path / "cache") / "index.faiss").read_bytes() == b"index of v1"


def test_a_folder_removed_during_a_write_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    fsync = os.fsync

    def remove(file: int) -> None:
        fsync(file)
        store.remove_folder("reports")

    monkeypatch.setattr(os, "fsync", remove)
    store.put("reports/1.html", b"report")
    assert store.get("reports/1.html") == b"report"


@pytest.mark.parametrize("damage", ["missing", "cut", "no gzip", "a bit is wrong", "no JSON"])
def test_damaged_items_are_named_and_never_tried_again(store: Store, damage: str) -> None:
    run = raw.RawRun(raw.new_run_id(NOW), "kok", "prices", NOW.date())
    report = raw.RunReport(run_id=run.run_id, source="kok", dataset="prices", day=run.day, items=0)
    raw.write_run(store, run, ({"n": number, "text": str(number) * 50} for number in range(500)), report)
    key = run.stem + raw.ITEMS
    whole = store.get(key)
    if damage == "missing":
        store.delete(key)
    else:
        middle = len(whole) // 2
        damaged = {
            "cut": whole[:middle],
            "no gzip": b"<html>",
            "a bit is wrong": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
            "no JSON": gzip.compress(b'{"n": 1}\n{"n"\n'),
        }
        store.put(key, damaged[damage])
    with pytest.raises(raw.UnreadableItems, match=f"{key} is .*restore it") as refused:
        list(raw.read_items(store, run))
    assert is_permanent(refused.value)
    assert reason_of(refused.value)
