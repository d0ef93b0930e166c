"""Objects by key, in a local folder or in an S3 bucket, with one behaviour.

A key is a relative path with ``/``. An object appears whole or not at all. The entity tag of an object changes
whenever its content does, which is what a conditional write compares.
"""

import re
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from artifacts.settings import ArtifactSettings

BUCKET: Final = re.compile(r"[A-Za-z0-9._-]+")
ENDPOINT: Final = re.compile(r"https?://[^/]")


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
    """Open the store at ``url`` (default: :func:`store_url`).

    No error repeats the URL, for people put passwords into it.
    """
    from artifacts.folder import FolderStore

    where = url or store_url()
    parts = urlsplit(where)
    if parts.scheme == "s3":
        return _open_bucket(parts.netloc, parts.path.strip("/"), ArtifactSettings().s3_endpoint_url)
    if parts.scheme not in {"", "file"}:
        raise StoreError("UKOK_ARTIFACTS_URL is neither a folder nor s3://bucket/prefix")
    return FolderStore(Path(parts.path if parts.scheme == "file" else where))


def _open_bucket(bucket: str, prefix: str, endpoint_url: str | None) -> Store:
    from artifacts.s3 import S3Store

    if not bucket:
        raise StoreError("UKOK_ARTIFACTS_URL names no bucket: expected s3://bucket/prefix")
    if not BUCKET.fullmatch(bucket):
        raise StoreError(
            "UKOK_ARTIFACTS_URL names no bucket of letters, digits, dots and dashes: expected s3://bucket/prefix, and "
            "the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if endpoint_url and (not ENDPOINT.match(endpoint_url) or "@" in endpoint_url):
        raise StoreError("UKOK_S3_ENDPOINT_URL is not the address of a server: expected e.g. http://127.0.0.1:8333")
    try:
        return S3Store(bucket, prefix, endpoint_url)
    except ValueError:
        raise StoreError("S3 cannot be used as configured; check UKOK_S3_ENDPOINT_URL and the AWS_ variables") from None
