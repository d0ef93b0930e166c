"""Objects by key, in a local folder or in an S3 bucket, with one behaviour.

A key is a relative path with ``/``. An object appears whole or not at all. The entity tag of an object changes
whenever its content does, which is what a conditional write compares.
"""

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from artifacts.settings import ArtifactSettings


class StoreError(RuntimeError):
    """The store cannot be used; the message says which, why and what to check."""


class NotFound(StoreError):
    """There is no object at the key."""


class Conflict(StoreError):
    """A conditional write lost: the object is no longer what the writer had read."""


class Store(Protocol):
    """What a store can do; every method raises :class:`StoreError` when the store itself fails."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing what was there."""

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a local file, replacing what was there."""

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        """Write only if the object still has ``etag`` (None: only if there is none), else raise :class:`Conflict`."""

    def get(self, key: str) -> bytes:
        """Read an object, or raise :class:`NotFound`."""

    def get_versioned(self, key: str) -> tuple[bytes, str]:
        """Read an object with its entity tag, or raise :class:`NotFound`."""

    def download(self, key: str, path: Path) -> None:
        """Copy an object into a local file, or raise :class:`NotFound`."""

    def list(self, prefix: str) -> list[str]:
        """Keys that begin with ``prefix``, sorted."""

    def exists(self, key: str) -> bool:
        """Tell whether there is an object at the key."""

    def size(self, key: str) -> int:
        """Bytes of an object, or raise :class:`NotFound`."""

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is fine."""


def store_url() -> str:
    """Where artifacts are kept: ``UKOK_ARTIFACTS_URL``, else the folder ``var/artifacts``."""
    settings = ArtifactSettings()
    return settings.artifacts_url or str(settings.var_dir / "artifacts")


def open_store(url: str | None = None) -> Store:
    """Open the store at ``url`` (default: :func:`store_url`)."""
    from artifacts.folder import FolderStore

    where = url or store_url()
    parts = urlsplit(where)
    if parts.scheme == "s3":
        from artifacts.s3 import S3Store

        if not parts.netloc:
            raise StoreError(f"artifact URL {where!r} names no bucket: expected s3://bucket/prefix")
        return S3Store(parts.netloc, parts.path.strip("/"), ArtifactSettings().s3_endpoint_url)
    if parts.scheme not in {"", "file"}:
        raise StoreError(f"artifact URL {where!r} is neither a folder nor s3://bucket/prefix; check UKOK_ARTIFACTS_URL")
    return FolderStore(Path(parts.path if parts.scheme == "file" else where))
