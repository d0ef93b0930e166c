"""The release in service: the next one is loaded beside it and takes its place at once, or not at all."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from artifacts import release as releases
from artifacts.store import Store, StoreError
from serving.common.errors import log_reason, summary
from serving.common.metrics import Metrics
from serving.common.view import LiveView

if TYPE_CHECKING:
    from serving.recommend.vector_store import LoadedRelease

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = 60.0


class LiveRelease:
    """Follows ``CURRENT`` of the artifact store; ``problem`` says what keeps the newest release out of service."""

    def __init__(self, store: Store, cache: Path, view: LiveView, metrics: Metrics) -> None:
        self.problem: str | None = None
        self._store = store
        self._cache = cache
        self._view = view
        self._metrics = metrics
        self._refused: str | None = None
        self._failures = 0
        self._try_again_at = 0.0

    def poll(self) -> None:
        """Put the release that ``CURRENT`` names into service; raises ``StoreError`` when the store is away."""
        version = releases.current(self._store)
        if version == self._view.current.release_version:
            self._refused, self._failures, self.problem = None, 0, None
        elif version is None:
            self._view.update(release=None)
        elif version != self._refused or time.monotonic() >= self._try_again_at:
            self._load(version)

    def _load(self, version: str) -> None:
        from serving.recommend.vector_store import LoadedRelease

        started = time.monotonic()
        try:
            loaded = LoadedRelease.open(releases.fetch(self._store, version, self._cache))
            _warm(loaded)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the next release, the old one stays
            self._refuse(version, error)
            return
        self._view.update(release=loaded)
        self._metrics.release.clear()
        self._metrics.release.labels(version).set(1)
        self._refused, self._failures, self.problem = None, 0, None
        log.info("release_in_service", version=version, seconds=round(time.monotonic() - started, 2))

    def _refuse(self, version: str, error: Exception) -> None:
        self._failures = self._failures + 1 if version == self._refused else 1
        self._refused = version
        self._try_again_at = time.monotonic() + min(LONGEST_WAIT_SECONDS, 2.0**self._failures)
        self._metrics.release_failures.inc()
        kept = self._view.current.release_version or "no release"
        self.problem = f"{version} could not be loaded, {kept} stays in service: {_reason(error)}"
        log.warning("release_refused", version=version, kept=kept, reason=log_reason(error))


def _warm(loaded: "LoadedRelease") -> None:
    """Ask for one of everything, so that what is made on first use is there before the first visitor."""
    loaded.recipe_products(0, 1)
    loaded.recipes_with(loaded.names[:1], 1)
    loaded.recipes_like("감자", 1)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else summary(error)
