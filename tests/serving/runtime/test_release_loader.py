"""The loader of releases: what it counts as a refusal of the release."""

import errno
from pathlib import Path

import pytest

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.release import CorruptRelease
from artifacts.store import Store
from serving.runtime import release_loader
from serving.runtime.release_loader import ReleaseLoader
from serving.web.metrics import Metrics
from tests.conftest import embedded_only

VERSION = "20250806T000000Z-6a"
FULL, AWAY = OSError(errno.ENOSPC, "No space left on device"), StoreError("the store is away")


@embedded_only
def test_only_a_release_that_cannot_be_read_or_opened_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[tuple[str, int]] = []
    loader = ReleaseLoader(store, tmp_path, Metrics(), lambda version, times: refusals.append((version, times)))
    monkeypatch.setattr(release_loader, "MAX_RETRY_SECONDS", 0.0)

    def load(outcome: Exception | Path) -> str:
        def fetch(*_: object) -> Path:
            if isinstance(outcome, Path):
                return outcome
            raise outcome

        monkeypatch.setattr(releases, "fetch", fetch)
        assert loader.load(VERSION) is None
        return loader.reason or ""

    assert load(FULL) == "unexpected OSError"
    assert load(AWAY) == "the artifact store does not answer as it should"
    assert refusals == []
    assert "damaged" in load(CorruptRelease("a file is damaged"))
    load(AWAY)
    load(tmp_path)  # a folder without a manifest
    assert refusals == [(VERSION, 1), (VERSION, 2)]
