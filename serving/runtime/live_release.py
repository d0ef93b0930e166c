"""The release in service: the next one is loaded beside it and takes its place at once, or not at all."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.folder import FolderStore
from artifacts.store import Store
from serving.runtime.snapshot import LiveSnapshot
from serving.web.errors import log_reason, summary
from serving.web.metrics import Metrics

if TYPE_CHECKING:
    from recommender.loaded_release import LoadedRelease

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = 60.0


class LiveRelease:
    """Follows ``CURRENT`` of the artifact store; ``problem`` says what keeps the newest release out of service."""

    def __init__(self, store: Store, cache: Path, snapshot: LiveSnapshot, metrics: Metrics) -> None:
        self.problem: str | None = None
        self._store = store
        self._cache = cache
        self._snapshot = snapshot
        self._metrics = metrics
        self._refused: str | None = None
        self._failures = 0
        self._try_again_at = 0.0
        metrics.release.clear()

    def poll(self) -> None:
        """Put the release that ``CURRENT`` names into service; raises ``StoreError``, ``OSError`` for a store away.

        Where nothing can be learned of the next one, the one in service stays.
        """
        try:
            version = releases.current(self._store)
        except (StoreError, OSError) as error:
            self._unknown(f"{releases.CURRENT} cannot be read, {self._kept}: {_reason(error)}")
            raise
        if version is None:
            problem = self._nothing_live()
            if problem and problem != self.problem:
                log.warning("release_missing", problem=problem)
            self._unknown(problem)
        elif version == self._snapshot.current.release_version:
            self._refused, self._failures, self.problem = None, 0, None
        elif version != self._refused or time.monotonic() >= self._try_again_at:
            self._load(version)

    @property
    def _kept(self) -> str:
        version = self._snapshot.current.release_version
        return f"{version} stays in service" if version else "none is in service"

    def _unknown(self, problem: str | None) -> None:
        """What was refused before is tried again as soon as it is named again."""
        self._refused, self._failures, self.problem = None, 0, problem

    def _nothing_live(self) -> str | None:
        """Why it is odd that no release is live; None in a system that never had one."""
        if isinstance(self._store, FolderStore) and not self._store.root.is_dir():
            return f"there is no folder {self._store.root}, {self._kept}: check UKOK_ARTIFACTS_URL, or `ukok run`"
        if self._snapshot.current.release is None:
            return None
        return f"{releases.CURRENT} is gone, {self._kept}: promote a release of `ukok release list`"

    def _load(self, version: str) -> None:
        from recommender.loaded_release import LoadedRelease

        started = time.monotonic()
        try:
            loaded = LoadedRelease.open(releases.fetch(self._store, version, self._cache))
            _warm(loaded)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the next release, the old one stays
            self._refuse(version, error)
            return
        self._snapshot.update(release=loaded)
        self._metrics.release.clear()
        self._metrics.release.labels(version).set(1)
        self._refused, self._failures, self.problem = None, 0, None
        log.info("release_in_service", version=version, seconds=round(time.monotonic() - started, 2))

    def _refuse(self, version: str, error: Exception) -> None:
        self._failures = self._failures + 1 if version == self._refused else 1
        self._refused = version
        self._try_again_at = time.monotonic() + min(LONGEST_WAIT_SECONDS, 2.0**self._failures)
        self._metrics.release_failures.inc()
        self.problem = f"{version} could not be loaded, {self._kept}: {_reason(error)}"
        kept = self._snapshot.current.release_version
        log.warning("release_refused", version=version, kept=kept, reason=log_reason(error))


def _warm(loaded: "LoadedRelease") -> None:
    """Ask for one of everything, so that what is made on first use is there before the first visitor."""
    loaded.recipe_products(0, 1)
    loaded.recipes_with(loaded.names[:1], 1)
    loaded.recipes_like("감자", 1)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else summary(error)
