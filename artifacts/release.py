"""Releases: one immutable folder of indexes and models that serving loads as a unit.

``releases/<version>/manifest.json`` is written last: without it a release does not exist. ``releases/CURRENT`` names
the live one and is replaced by a conditional write, so two publishers cannot both win.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.names import FileName, Version, check_distinct, check_version, is_version
from artifacts.store import Store

CURRENT: Final = "releases/CURRENT"
ROLLBACK: Final = "releases/ROLLBACK"
MANIFEST: Final = "manifest.json"
# Version of the manifest and of the files that it lists: raised when either changes; one that differs is not read.
SCHEMA_VERSION: Final = 2
# Files that are uploaded or downloaded at a time.
TRANSFERS: Final = 4
# Bytes of a file that no release has: its vectors and models take some hundred megabytes.
LARGEST_FILE: Final = 16 * 2**30
# Earlier live versions that CURRENT lists for rollback.
HISTORY: Final = 20


class CorruptRelease(StoreError):
    """A release is not what its manifest says, or its manifest cannot be read; the message names the file."""


class FileEntry(BaseModel):
    """Expected digest and size in bytes of a file."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=LARGEST_FILE)]


class BaseManifest(BaseModel):
    """The fields of a manifest that storage reads; a subclass adds the description of the content.

    ``schema_version`` is raised when a field at any depth or a file of a release changes.
    """

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA_VERSION
    version: Version
    files: dict[FileName, FileEntry]

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        check_distinct([MANIFEST, *self.files])
        if MANIFEST in self.files:
            raise ValueError(f"{MANIFEST} lists itself")
        return self


M = TypeVar("M", bound=BaseManifest)


class _Schema(BaseModel):
    schema_version: int


class Pointer(BaseModel):
    """Content of ``CURRENT``: the live version and the earlier ones, newest first."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    previous: list[Version] = []


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Hash every file below ``folder`` for a manifest, keyed by its path there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): _entry(path) for path in paths}


def publish(store: Store, folder: Path, manifest: BaseManifest) -> None:
    """Upload the files that the manifest lists, then the manifest. A published version is never changed."""
    key = f"releases/{manifest.version}/{MANIFEST}"
    data = manifest.model_dump_json(indent=2).encode()
    if store.exists(key):
        if store.get(key) != data:
            raise Conflict(f"release {manifest.version} exists with other content: build under a new version")
        return
    with ThreadPoolExecutor(TRANSFERS) as pool:
        uploads = [
            pool.submit(store.put_file, f"releases/{manifest.version}/{name}", folder / name) for name in manifest.files
        ]
        _all_done(uploads)
    store.put_if(key, data, None)


def read_manifest(store: Store, version: str, model: type[M]) -> M:
    """Read the manifest of a release as ``model``, or raise :class:`CorruptRelease`."""
    return parse_manifest(_manifest_data(store, version), version, model)


def parse_manifest(data: bytes, version: str, model: type[M]) -> M:
    """Parse the manifest of release ``version``, or raise :class:`CorruptRelease` with its first error."""
    try:
        schema_version = _Schema.model_validate_json(data).schema_version
        if schema_version != SCHEMA_VERSION:
            raise CorruptRelease(
                f"release {version}: {MANIFEST} has schema version {schema_version}, "
                f"this version reads {SCHEMA_VERSION}: "
                + ("upgrade ukok" if schema_version > SCHEMA_VERSION else "build a new release")
            )
        manifest = model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "content"
        raise CorruptRelease(
            f"release {version}: {MANIFEST} is not valid: {field}: {first['msg']} ({error.error_count()} errors); "
            "build a new release"
        ) from None
    if manifest.version != version:
        raise CorruptRelease(f"release {version}: {MANIFEST} is that of {manifest.version}")
    return manifest


def fetch(store: Store, version: str, cache: Path) -> Path:
    """Download a release into ``cache/<version>``, check every file against the manifest and return that folder.

    A folder that exists is checked again, and downloaded anew if it is damaged. Nothing is written before the version,
    the names of the files and their sizes in the store are known to be right.
    """
    data = _manifest_data(store, version)
    manifest = parse_manifest(data, version, BaseManifest)
    target = cache / version
    if target.is_symlink():
        target.unlink()  # whatever it leads to is not ours
    if target.is_dir():
        try:
            check(target, manifest)
        except CorruptRelease:
            shutil.rmtree(target)
        else:
            return target
    _check_sizes(store, manifest)
    incoming = cache / f".{version}.{os.getpid()}"
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        for name in manifest.files:
            (incoming / name).parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(TRANSFERS) as pool:
            _all_done([pool.submit(_download, store, version, name, incoming / name) for name in manifest.files])
        (incoming / MANIFEST).write_bytes(data)
        check(incoming, manifest)
        if not target.is_dir():
            incoming.replace(target)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return target


def check(folder: Path, manifest: BaseManifest) -> None:
    """Compare every file of a local release with its manifest; raise :class:`CorruptRelease` on a difference."""
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CorruptRelease(f"release {manifest.version}: {name} is a link that leads out of the release")
        if not path.is_file():
            raise CorruptRelease(f"release {manifest.version}: {name} is missing")
        found = _entry(path)
        if found != wanted:
            raise CorruptRelease(
                f"release {manifest.version}: {name} is damaged "
                f"({found.size} bytes, sha256 {found.sha256[:12]}…; expected {wanted.size}, {wanted.sha256[:12]}…)"
            )


def current(store: Store) -> str | None:
    """Version of the live release; None before the first."""
    pointer, _ = _pointer(store)
    return pointer.version if pointer else None


def previous(store: Store) -> str | None:
    """Version that a rollback goes back to; None if there is none."""
    pointer, _ = _pointer(store)
    return pointer.previous[0] if pointer and pointer.previous else None


def named_by_current(store: Store) -> set[str]:
    """Versions that ``CURRENT`` names: the live one and those that a rollback can go back to."""
    pointer, _ = _pointer(store)
    return {pointer.version, *pointer.previous} if pointer else set()


def promote(store: Store, version: str, *, expected: str | None) -> None:
    """Make a release live if the live one is still ``expected``, else raise :class:`~artifacts.errors.Conflict`.

    A release that is live already is no conflict: a promotion whose answer was lost can be repeated.
    """
    read_manifest(store, version, BaseManifest)
    pointer, etag = _pointer(store)
    live = pointer.version if pointer else None
    if live == version:
        return
    if live != expected:
        raise Conflict(f"the live release is {live}, not {expected}: evaluate {version} against it and promote again")
    previous = [live, *pointer.previous][:HISTORY] if pointer and live else []
    store.put_if(CURRENT, _encode(Pointer(version=version, previous=previous)), etag)


@contextmanager
def rolling_back(store: Store) -> Iterator[None]:
    """Undo something else than the live release; if this is killed, the next :func:`going_back` ends it and no more."""
    pointer, _ = _pointer(store)
    if pointer:
        store.put(ROLLBACK, _encode(pointer))
    yield
    store.delete(ROLLBACK)


def is_rollback_unfinished(store: Store) -> bool:
    """Whether a rollback was killed after it changed ``CURRENT`` and before its end: :func:`going_back` ends it."""
    pointer, _ = _pointer(store)
    return pointer is not None and pointer == _unfinished_rollback(store)


@contextmanager
def going_back(store: Store) -> Iterator[str]:
    """Make the previous release live again and yield its version; what else belongs to it is done in the block.

    ``releases/ROLLBACK`` holds the pointer to be written until the block ends. If it was left by a rollback that was
    killed or did not learn its outcome, this one finishes that rollback, and does not go back once more.
    """
    pointer, etag = _pointer(store)
    if pointer is not None and pointer == _unfinished_rollback(store):
        yield pointer.version
    else:
        if pointer is None or not pointer.previous:
            raise StoreError("there is no earlier release to roll back to; see `ukok release list`")
        target = Pointer(version=pointer.previous[0], previous=pointer.previous[1:])
        read_manifest(store, target.version, BaseManifest)
        store.put(ROLLBACK, _encode(target))
        store.put_if(CURRENT, _encode(target), etag)
        yield target.version
    store.delete(ROLLBACK)


def rollback(store: Store) -> str:
    """Make the previous release live again and return its version; see :func:`going_back`."""
    with going_back(store) as version:
        return version


def list_releases(store: Store) -> list[str]:
    """Versions of the completely uploaded releases, oldest first."""
    suffix = f"/{MANIFEST}"
    keys = (key for key in store.list("releases/") if key.endswith(suffix))
    versions = (key.removeprefix("releases/").removesuffix(suffix) for key in keys)
    return sorted(version for version in versions if is_version(version))


def _manifest_data(store: Store, version: str) -> bytes:
    try:
        check_version(version)
    except ValueError as error:
        raise CorruptRelease(str(error)) from None
    try:
        return store.get(f"releases/{version}/{MANIFEST}")
    except NotFound:
        if not any(True for _ in store.list(f"releases/{version}/")):
            raise CorruptRelease(f"there is no release {version!r}: see `ukok release list`") from None
        raise CorruptRelease(f"release {version} has no {MANIFEST}: its upload did not finish") from None


def _pointer(store: Store) -> tuple[Pointer | None, str | None]:
    try:
        data, etag = store.get_versioned(CURRENT)
    except NotFound:
        return None, None
    try:
        return Pointer.model_validate_json(data), etag
    except ValueError:
        raise CorruptRelease(
            f"{CURRENT} is not readable or names no version: promote a release of `ukok release list` after removing it"
        ) from None


def _unfinished_rollback(store: Store) -> Pointer | None:
    """What a rollback that did not end was to write."""
    try:
        return Pointer.model_validate_json(store.get(ROLLBACK))
    except (NotFound, ValueError):
        return None


def _encode(pointer: Pointer) -> bytes:
    return pointer.model_dump_json().encode()


def _all_done(transfers: Sequence["Future[None]"]) -> None:
    """Wait for transfers; after one that fails, start no other and raise its error."""
    try:
        for transfer in transfers:
            transfer.result()
    finally:
        for transfer in transfers:
            transfer.cancel()


def _check_sizes(store: Store, manifest: BaseManifest) -> None:
    """Compare the sizes in the store with the manifest, so that no more than that is downloaded."""
    prefix = f"releases/{manifest.version}/"
    stored = store.sizes(prefix)
    for name, wanted in manifest.files.items():
        size = stored.get(prefix + name)
        if size is None:
            raise CorruptRelease(f"release {manifest.version}: {name} is missing from the store")
        if size != wanted.size:
            raise CorruptRelease(
                f"release {manifest.version}: {name} is damaged ({size} bytes in the store; expected {wanted.size})"
            )


def _download(store: Store, version: str, name: str, path: Path) -> None:
    try:
        store.download(f"releases/{version}/{name}", path)
    except NotFound:
        raise CorruptRelease(f"release {version}: {name} is missing from the store") from None


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size=path.stat().st_size)
