"""The live release: the next one is loaded beside it, and replaces it as a whole or not at all."""

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

MAX_RETRY_SECONDS = 60.0


class LiveRelease:
    """Follows ``CURRENT`` of the artifact store; ``problem`` is why the newest release is not in service."""

    def __init__(self, store: Store, cache: Path, live_snapshot: LiveSnapshot, metrics: Metrics) -> None:
        self.problem: str | None = None
        self._store = store
        self._cache = cache
        self._live_snapshot = live_snapshot
        self._metrics = metrics
        self._refused: str | None = None
        self._failures = 0
        self._retry_at = 0.0
        metrics.release.clear()

    def poll(self) -> None:
        """Load the release that ``CURRENT`` names, unless it is in service; any failure keeps the one in service.

        Raises ``StoreError`` or ``OSError`` when the store is unavailable.
        """
        try:
            version = releases.current(self._store)
        except (StoreError, OSError) as error:
            self._set_unknown(f"{releases.CURRENT} cannot be read, {self._fallback}: {_reason(error)}")
            raise
        if version is None:
            problem = self._missing_release()
            if problem and problem != self.problem:
                log.warning("release_missing", problem=problem)
            self._set_unknown(problem)
        elif version == self._live_snapshot.current.release_version:
            self._refused, self._failures, self.problem = None, 0, None
        elif version != self._refused or time.monotonic() >= self._retry_at:
            self._load(version)

    @property
    def _fallback(self) -> str:
        version = self._live_snapshot.current.release_version
        return f"{version} stays in service" if version else "none is in service"

    def _set_unknown(self, problem: str | None) -> None:
        """Forget the refused release, so that it is tried again as soon as ``CURRENT`` names it."""
        self._refused, self._failures, self.problem = None, 0, problem

    def _missing_release(self) -> str | None:
        """Return why no release is live, None in a system that never had one."""
        if isinstance(self._store, FolderStore) and not self._store.root.is_dir():
            return f"there is no folder {self._store.root}, {self._fallback}: check UKOK_ARTIFACTS_URL, or `ukok run`"
        if self._live_snapshot.current.release is None:
            return None
        return f"{releases.CURRENT} is gone, {self._fallback}: promote a release of `ukok release list`"

    def _load(self, version: str) -> None:
        from recommender.loaded_release import LoadedRelease

        started = time.monotonic()
        try:
            loaded = LoadedRelease.open(releases.fetch(self._store, version, self._cache))
            _warm(loaded)
        except Exception as error:  # noqa: BLE001 - whatever fails, the release in service stays
            self._refuse(version, error)
            return
        self._live_snapshot.update(release=loaded)
        self._metrics.release.clear()
        self._metrics.release.labels(version).set(1)
        self._refused, self._failures, self.problem = None, 0, None
        log.info("release_in_service", version=version, seconds=round(time.monotonic() - started, 2))

    def _refuse(self, version: str, error: Exception) -> None:
        self._failures = self._failures + 1 if version == self._refused else 1
        self._refused = version
        self._retry_at = time.monotonic() + min(MAX_RETRY_SECONDS, 2.0**self._failures)
        self._metrics.release_failures.inc()
        self.problem = f"{version} could not be loaded, {self._fallback}: {_reason(error)}"
        in_service = self._live_snapshot.current.release_version
        log.warning("release_refused", version=version, in_service=in_service, reason=log_reason(error))


def _warm(loaded: "LoadedRelease") -> None:
    """Query each index once, so that lazy initialisation is done before the first request."""
    loaded.recipe_products(0, 1)
    loaded.recipes_by_ingredients(loaded.names[:1], 1)
    loaded.recipes_by_text("감자", 1)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else summary(error)
