"""Interface of artifact stores: objects by key, in a local folder or an S3 bucket, with the same behaviour.

A key is a relative path with ``/``. Writes are atomic. The entity tag of an object changes whenever its content does;
conditional writes compare it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class UnfinishedUpload:
    """An upload that never became an object: its id in the store, the key or file that it was for, and its bytes."""

    upload_id: str
    key: str
    size: int


class Store(Protocol):
    """Interface of a store; every method raises :class:`~artifacts.errors.StoreError` when the store itself fails."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing any at the key."""

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a local file, replacing any at the key."""

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        """Write if the object still has ``etag`` (None: does not exist), else raise ``Conflict``.

        An object that holds ``data`` already is no conflict: a write whose answer was lost can be repeated.
        """

    def get(self, key: str) -> bytes:
        """Read an object, or raise ``NotFound``."""

    def get_versioned(self, key: str) -> tuple[bytes, str]:
        """Read an object and its entity tag, or raise ``NotFound``."""

    def download(self, key: str, path: Path) -> None:
        """Copy an object into a local file, or raise ``NotFound``."""

    def list(self, prefix: str) -> list[str]:
        """Return the keys that begin with ``prefix``, sorted."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size in bytes of each object whose key begins with ``prefix``, in order of keys."""

    def exists(self, key: str) -> bool:
        """Return whether there is an object at the key."""

    def size(self, key: str) -> int:
        """Return the size of an object in bytes, or raise ``NotFound``."""

    def delete(self, key: str) -> None:
        """Delete an object; a missing one is no error."""

    def empty_folders(self) -> Sequence[str]:
        """Return the folders below which there is no object, inner ones first; a bucket has no folders."""

    def remove_folder(self, folder: str) -> None:
        """Remove an empty folder; one that is gone or in use again is no error."""

    def unfinished_uploads(self, before: datetime) -> Sequence[UnfinishedUpload]:
        """Return the uploads that began before an instant and did not end."""

    def discard_upload(self, upload: UnfinishedUpload) -> None:
        """Delete what an unfinished upload has left; one that is gone is no error."""
