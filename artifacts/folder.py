"""Store in a local folder."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.names import check_key
from artifacts.store import UnfinishedUpload

LOCK = "lock"


class FolderStore:
    """Store in ``root``. Objects are written to ``.incoming`` and renamed into place, which makes writes atomic."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._incoming = self.root / ".incoming"

    def put(self, key: str, data: bytes) -> None:
        target, incoming = self._target(key)
        with incoming.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _place(incoming, target)

    def put_file(self, key: str, path: Path) -> None:
        target, incoming = self._target(key)
        shutil.copyfile(path, incoming)
        with incoming.open("rb") as file:
            os.fsync(file.fileno())
        _place(incoming, target)

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        self._incoming.mkdir(parents=True, exist_ok=True)
        with FileLock(self._incoming / LOCK):
            found = self.get_versioned(key)[1] if self.exists(key) else None
            if found != etag:
                if found == hashlib.sha256(data).hexdigest():
                    return
                raise Conflict(f"{key} was changed by another writer: read it again and retry")
            self.put(key, data)

    def get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise self._unread(key, error) from None

    def get_versioned(self, key: str) -> tuple[bytes, str]:
        data = self.get(key)
        return data, hashlib.sha256(data).hexdigest()

    def download(self, key: str, path: Path) -> None:
        try:
            shutil.copyfile(self._path(key), path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise self._unread(key, error) from None

    def list(self, prefix: str) -> list[str]:
        # Walk only the folder in the prefix, not the whole store.
        start = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self.root
        # Unlike rglob, walk passes over folders that are removed meanwhile.
        files = (Path(folder) / name for folder, _, names in os.walk(start) for name in names)
        found = (path for path in files if path.is_file() and self._incoming not in path.parents)
        keys = (path.relative_to(self.root).as_posix() for path in found)
        return sorted(key for key in keys if key.startswith(prefix))

    def sizes(self, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for key in self.list(prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                found[key] = (self.root / key).stat().st_size
        return found

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def size(self, key: str) -> int:
        path = self._path(key)
        if not path.is_file():
            raise NotFound(f"there is no object {key!r} in {self.root}")
        return path.stat().st_size

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def empty_folders(self) -> Sequence[str]:
        kept = {self.root, self._incoming}
        return [path.relative_to(self.root).as_posix() for path in _empty_folders(self.root) if path not in kept]

    def remove_folder(self, folder: str) -> None:
        with suppress(OSError):
            self._path(folder).rmdir()

    def unfinished_uploads(self, before: datetime) -> Sequence[UnfinishedUpload]:
        files = sorted(self._incoming.iterdir()) if self._incoming.is_dir() else []
        found = [(path, path.stat()) for path in files if path.name != LOCK]
        return [
            UnfinishedUpload(path.name, f".incoming/{path.name}", stat.st_size)
            for path, stat in found
            if stat.st_mtime < before.timestamp()
        ]

    def discard_upload(self, upload: UnfinishedUpload) -> None:
        (self._incoming / upload.upload_id).unlink(missing_ok=True)

    def _unread(self, key: str, error: OSError) -> StoreError:
        if isinstance(error, NotADirectoryError) and not self.root.is_dir():
            return StoreError(f"cannot read {self.root}: {error.strerror}; check UKOK_ARTIFACTS_URL")
        return NotFound(f"there is no object {key!r} in {self.root}")

    def _path(self, key: str) -> Path:
        check_key(key)
        path = self.root / key
        if not path.resolve().is_relative_to(self.root):
            raise StoreError(f"key {key!r} leads out of the store: {path} or a folder of it is a link")
        return path  # not resolved: of a link, the link itself is replaced or deleted

    def _target(self, key: str) -> tuple[Path, Path]:
        target = self._path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._incoming.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write to {self.root}: {error.strerror}; check UKOK_ARTIFACTS_URL") from error
        return target, self._incoming / uuid.uuid4().hex


def _empty_folders(root: Path) -> list[Path]:
    """Return the folders below which there is no file, inner ones first."""
    used: set[Path] = set()
    found: list[Path] = []
    for folder, _, names in os.walk(root, topdown=False):
        path = Path(folder)
        if names or path in used:
            used.add(path.parent)
        else:
            found.append(path)
    return found


def _place(incoming: Path, target: Path) -> None:
    """Rename a written file to its target, whose folder may have been removed meanwhile: it was empty."""
    try:
        incoming.replace(target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.replace(target)
