"""A release neither writes nor deletes outside its folder, whatever its manifest and the pointers say."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from artifacts import release
from artifacts.canary import CANARY, read_canary
from artifacts.errors import StoreError
from artifacts.folder import FolderStore
from artifacts.release import CorruptRelease
from artifacts.store import Store
from tests.builders.plain_s3 import PlainS3
from tests.conftest import embedded_only

ODD_VERSIONS = ("..", ".", "", "a/b", "/etc", "x" * 300, "a\0b", "감자", "v1\n", "-rf", "..\\x")
DATA = b"an index"
ENTRY = {"sha256": hashlib.sha256(DATA).hexdigest(), "size": len(DATA)}


def put_release(store: Store, version: str, files: dict[str, Any], **changes: Any) -> None:
    manifest = {"schema_version": release.SCHEMA_VERSION, "version": version, "files": files}
    store.put(f"releases/{version}/manifest.json", json.dumps(manifest | changes).encode())


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder with data beside the cache of releases."""
    (tmp_path / "var" / "cache").mkdir(parents=True)
    (tmp_path / "var" / "accounts").write_bytes(b"keep me")
    return tmp_path / "var"


def contents(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("version", ODD_VERSIONS)
def test_an_odd_version_is_refused_before_anything_is_read(store: Store, var: Path, version: str) -> None:
    before = contents(var)
    for attempt in (
        lambda: release.fetch(store, version, var / "cache"),
        lambda: release.promote(store, version, expected=None),
    ):
        with pytest.raises(CorruptRelease, match="is no version") as refused:
            attempt()
        assert "\n" not in str(refused.value)
    assert contents(var) == before


@pytest.mark.parametrize("version", ["..", "a/b", "감자"])
def test_a_pointer_to_an_odd_version_is_unreadable(store: Store, var: Path, version: str) -> None:
    for pointer in ({"version": version}, {"version": "v1", "previous": [version]}):
        store.put(release.CURRENT, json.dumps(pointer).encode())
        with pytest.raises(CorruptRelease, match="names no version"):
            release.current(store)
    since = "2025-08-06T00:00:00Z"
    for canary in ({"version": version, "baseline": "v1"}, {"version": "v1", "baseline": version}):
        store.put(CANARY, json.dumps(canary | {"share": 0.1, "since": since}).encode())
        with pytest.raises(CorruptRelease, match="not readable"):
            read_canary(store)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"../../accounts": ENTRY}, "leads out"),
        ({"/tmp/x": ENTRY}, "leads out"),
        ({"index": ENTRY, "Index": ENTRY}, "differ in case only"),
        ({"index": ENTRY, "Index/a": ENTRY}, "is the folder of"),
        ({"manifest.json": ENTRY}, "lists itself"),
        ({"Manifest.JSON": ENTRY}, "differ in case only"),
        ({"index": ENTRY | {"size": -1}}, "size"),
        ({"index": ENTRY | {"size": 10**15}}, "size"),
        ({"index": ENTRY | {"sha256": "0"}}, "sha256"),
    ],
)
def test_a_manifest_of_odd_files_writes_nothing(store: Store, var: Path, files: dict[str, Any], reason: str) -> None:
    store.put("releases/v1/index", DATA)
    put_release(store, "v1", files)
    before = contents(var)
    with pytest.raises(CorruptRelease, match=reason):
        release.fetch(store, "v1", var / "cache")
    assert contents(var) == before


def test_a_file_larger_than_the_manifest_says_is_not_read(store: Store, var: Path) -> None:
    store.put("releases/v1/index", DATA * 1_000)
    put_release(store, "v1", {"index": ENTRY})
    with pytest.raises(CorruptRelease, match="8000 bytes in the store; expected 8"):
        release.fetch(store, "v1", var / "cache")
    assert contents(var) == {"accounts", "cache"}


@embedded_only
def test_links_in_the_cache_are_neither_followed_nor_emptied(store: Store, var: Path) -> None:
    store.put("releases/v1/index", DATA)
    put_release(store, "v1", {"index": ENTRY})
    other = var / "other"
    other.mkdir()
    (other / "mine").write_bytes(b"keep me")
    (var / "cache" / "v1").symlink_to(other)
    folder = release.fetch(store, "v1", var / "cache")
    assert (folder.is_symlink(), contents(other)) == (False, {"mine"})
    (folder / "index").unlink()
    (other / "index").write_bytes(DATA)
    (folder / "index").symlink_to(other / "index")
    again = release.fetch(store, "v1", var / "cache") / "index"
    assert (again.is_symlink(), again.read_bytes(), contents(other)) == (False, DATA, {"mine", "index"})


def test_links_of_a_store_are_refused_and_deleted_themselves(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("raw/prices", b"keep me")
    (tmp_path / "secret").write_bytes(b"keep me")
    (store.root / "releases").mkdir()
    (store.root / "releases" / "out").symlink_to(tmp_path / "secret")
    (store.root / "releases" / "in").symlink_to(store.root / "raw" / "prices")
    with pytest.raises(StoreError, match="is a link"):
        store.get("releases/out")
    with pytest.raises(StoreError, match="is a link"):
        store.put("releases/out", b"overwritten")
    store.delete("releases/in")
    assert store.get("raw/prices") == b"keep me" == (tmp_path / "secret").read_bytes()


@pytest.mark.parametrize("key", ["../x", "a/../b", "/a", "a//b", "./a", "a\0b", "x" * 300])
def test_a_key_that_leads_elsewhere_is_refused(store: Store, tmp_path: Path, key: str) -> None:
    (tmp_path / "file").write_bytes(b"1")
    for attempt in (
        lambda: store.put(key, b"1"),
        lambda: store.put_if(key, b"1", None),
        lambda: store.put_file(key, tmp_path / "file"),
        lambda: store.get(key),
        lambda: store.download(key, tmp_path / "copy"),
        lambda: store.exists(key),
        lambda: store.delete(key),
    ):
        with pytest.raises(StoreError, match="leads out of the store"):
            attempt()


def test_keys_of_others_that_lead_elsewhere_are_not_listed(server: PlainS3, plain: Store) -> None:
    server.objects |= {"/bucket/prefix/models/a": b"1", "/bucket/prefix/models/../x": b"1"}
    assert plain.list("models/") == ["models/a"]
