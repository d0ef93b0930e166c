"""Folder of downloaded releases, which processes on one machine share: one downloads or deletes at a time."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from artifacts.names import is_version

LOCK: Final = ".lock"
_REMOVED: Final = ".removed."


@contextmanager
def locked(cache: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the folder alone, after whoever holds it, and remove what a process that was killed left half done.

    Without ``wait`` a folder that is held raises ``TimeoutError``.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / LOCK, timeout=-1 if wait else 0):
        for path in cache.iterdir():
            if path.name.startswith(".") and path.name != LOCK:
                _remove(path)
        yield


def prune(cache: Path, keep: Collection[str | None]) -> list[str]:
    """Delete the downloaded releases but ``keep``, and return their versions, oldest first.

    Processes that still serve one of them hold it in memory; one that would open it downloads it again. Raises
    ``TimeoutError`` while another one downloads.
    """
    if not cache.is_dir():
        return []
    with locked(cache, wait=False):
        folders = [path.name for path in cache.iterdir() if path.is_dir()]
        old = sorted(name for name in folders if is_version(name) and name not in keep)
        for version in old:
            # Renamed first: a release is there as a whole or not at all.
            removed = (cache / version).replace(cache / f"{_REMOVED}{version}")
            _remove(removed)
    return old


def _remove(path: Path) -> None:
    """Delete a file, a folder, or a link without what it leads to."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)
