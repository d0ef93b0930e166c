"""Releases: one immutable folder of indexes and models that serving loads as a unit.

``releases/<version>/manifest.json`` is written last and makes the release exist; ``releases/CURRENT`` names the live
one and is replaced by a conditional write, so two publishers cannot both win.
"""

import hashlib
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.store import Store

CURRENT = "releases/CURRENT"
MANIFEST = "manifest.json"
HISTORY = 20


class CorruptRelease(StoreError):
    """A release is not what its manifest says; the message names the file."""


class FileEntry(BaseModel):
    """What a file of the release must be."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    size: int


class Manifest(BaseModel):
    """What a release holds, what it came from and how it was judged."""

    model_config = ConfigDict(extra="forbid")

    version: str
    built_at: datetime
    files: dict[str, FileEntry]
    counts: dict[str, int]
    dimensions: dict[str, int]
    metric: str
    datasets: dict[str, str]
    code_version: str
    parameters: dict[str, Any]
    evaluation: dict[str, Any]
    gate: dict[str, Any]


class Pointer(BaseModel):
    """Content of ``CURRENT``: the live version and those before it, newest first."""

    model_config = ConfigDict(extra="forbid")

    version: str
    previous: list[str] = []


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Hash every file below ``folder`` for a manifest, keyed by its path there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): _entry(path) for path in paths}


def publish(store: Store, folder: Path, manifest: Manifest) -> None:
    """Upload the files that the manifest lists, then the manifest. A published version is never changed."""
    key = f"releases/{manifest.version}/{MANIFEST}"
    data = manifest.model_dump_json(indent=2).encode()
    if store.exists(key):
        if store.get(key) != data:
            raise Conflict(f"release {manifest.version} exists with other content: build under a new version")
        return
    for name in manifest.files:
        store.put_file(f"releases/{manifest.version}/{name}", folder / name)
    store.put_if(key, data, None)


def read_manifest(store: Store, version: str) -> Manifest:
    """Read the manifest of a release, or raise :class:`CorruptRelease`."""
    try:
        return Manifest.model_validate_json(store.get(f"releases/{version}/{MANIFEST}"))
    except NotFound:
        raise CorruptRelease(f"release {version} has no {MANIFEST}: its upload did not finish") from None
    except ValidationError as error:
        raise CorruptRelease(f"release {version}: {MANIFEST} is not valid ({error.error_count()} errors)") from None


def fetch(store: Store, version: str, cache: Path) -> Path:
    """Bring a release into ``cache/<version>`` and return that folder, every file checked against the manifest.

    A folder already there is checked again and fetched anew if it is damaged.
    """
    manifest = read_manifest(store, version)
    target = cache / version
    if target.is_dir():
        try:
            check(target, manifest)
        except CorruptRelease:
            shutil.rmtree(target)
        else:
            return target
    incoming = cache / f".{version}.{os.getpid()}"
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        for name in manifest.files:
            (incoming / name).parent.mkdir(parents=True, exist_ok=True)
            _download(store, version, name, incoming / name)
        (incoming / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        check(incoming, manifest)
        if not target.is_dir():
            incoming.replace(target)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return target


def check(folder: Path, manifest: Manifest) -> None:
    """Compare every file of a local release with its manifest, or raise :class:`CorruptRelease`."""
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise CorruptRelease(f"release {manifest.version}: {name} is missing")
        found = _entry(path)
        if found != wanted:
            raise CorruptRelease(
                f"release {manifest.version}: {name} is damaged "
                f"({found.size} bytes, sha256 {found.sha256[:12]}…; expected {wanted.size}, {wanted.sha256[:12]}…)"
            )


def current(store: Store) -> str | None:
    """Version of the live release, None before the first."""
    pointer, _ = _pointer(store)
    return pointer.version if pointer else None


def promote(store: Store, version: str, *, expected: str | None) -> None:
    """Make a release live if the live one still is ``expected``, else raise :class:`~artifacts.errors.Conflict`."""
    read_manifest(store, version)
    pointer, etag = _pointer(store)
    live = pointer.version if pointer else None
    if live != expected:
        raise Conflict(f"the live release is {live}, not {expected}: evaluate {version} against it and promote again")
    if live == version:
        return
    previous = [live, *pointer.previous][:HISTORY] if pointer and live else []
    store.put_if(CURRENT, _encode(Pointer(version=version, previous=previous)), etag)


def rollback(store: Store) -> str:
    """Make the release before the live one live again and return its version."""
    pointer, etag = _pointer(store)
    if pointer is None or not pointer.previous:
        raise StoreError("there is no earlier release to roll back to; see `ukok release list`")
    version = pointer.previous[0]
    read_manifest(store, version)
    store.put_if(CURRENT, _encode(Pointer(version=version, previous=pointer.previous[1:])), etag)
    return version


def list_releases(store: Store) -> list[str]:
    """Versions whose upload finished, oldest first."""
    suffix = f"/{MANIFEST}"
    keys = (key for key in store.list("releases/") if key.endswith(suffix))
    return sorted(key.removeprefix("releases/").removesuffix(suffix) for key in keys)


def _pointer(store: Store) -> tuple[Pointer | None, str | None]:
    try:
        data, etag = store.get_versioned(CURRENT)
    except NotFound:
        return None, None
    try:
        return Pointer.model_validate(json.loads(data)), etag
    except ValueError:
        raise CorruptRelease(
            f"{CURRENT} is not readable: promote a release of `ukok release list` after removing it"
        ) from None


def _encode(pointer: Pointer) -> bytes:
    return pointer.model_dump_json().encode()


def _download(store: Store, version: str, name: str, path: Path) -> None:
    try:
        store.download(f"releases/{version}/{name}", path)
    except NotFound:
        raise CorruptRelease(f"release {version}: {name} is missing from the store") from None


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size=path.stat().st_size)
