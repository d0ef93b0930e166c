"""The folder of downloaded releases: pruned to those in use, whoever else uses it or was killed in it."""

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from artifacts.release_cache import LOCK, locked, prune

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with four releases, beside something else."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data").write_bytes(b"keep me")
    for version in ("v1", "v2", "v3", "v4"):
        (tmp_path / "cache" / version).mkdir(parents=True)
        (tmp_path / "cache" / version / "manifest.json").write_bytes(b"{}")
    return tmp_path / "cache"


def names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {LOCK}


def test_only_what_is_kept_stays(cache: Path) -> None:
    (cache / "v0").symlink_to(cache.parent / "mine")
    (cache / "README").write_bytes(b"not a release")
    assert prune(cache, {"v3", "v4", None}) == ["v0", "v1", "v2"]
    assert names(cache) == {"v3", "v4", "README"}
    assert (cache.parent / "mine" / "data").exists()
    assert prune(cache.parent / "absent", set()) == []


def test_pruning_does_not_wait_for_a_download(cache: Path) -> None:
    with locked(cache), pytest.raises(TimeoutError):
        prune(cache, set())
    assert names(cache) == {"v1", "v2", "v3", "v4"}


def hold(cache: Path, holds: Event, ends: Event) -> None:
    with locked(cache):
        (cache / ".v5.1").mkdir()
        (cache / ".v5.1" / "index").write_bytes(b"half of it")
        holds.set()
        ends.wait(60)
        (cache / ".v5.1").replace(cache / "v5")


@pytest.mark.parametrize("killed", [False, True])
def test_one_process_waits_for_another_or_cleans_up_after_it(cache: Path, killed: bool) -> None:
    holds, ends = SPAWN.Event(), SPAWN.Event()
    other = SPAWN.Process(target=hold, args=(cache, holds, ends))
    other.start()
    assert holds.wait(60)
    if killed:
        os.kill(other.pid or 0, signal.SIGKILL)
    else:
        ends.set()
    with locked(cache):
        assert names(cache) == {"v1", "v2", "v3", "v4"} | (set() if killed else {"v5"})
    other.join(60)
