"""Load a release beside those in service; one that cannot be loaded is tried again after 2, 4, … 60 seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.store import Store
from serving.web.errors import log_reason, summary
from serving.web.metrics import Metrics

if TYPE_CHECKING:
    from recommender.loaded_release import LoadedRelease

log = structlog.get_logger()

MAX_RETRY_SECONDS: Final = 60.0


class ReleaseLoader:
    """Downloads, checks and opens releases; ``reason`` is why the last one cannot be loaded.

    ``on_failure`` is called with the version and the number of failures in a row.
    """

    def __init__(self, store: Store, cache: Path, metrics: Metrics, on_failure: Callable[[str, int], None]) -> None:
        self.reason: str | None = None
        self._store = store
        self._cache = cache
        self._metrics = metrics
        self._on_failure = on_failure
        self._refused: str | None = None
        self._failures = 0
        self._retry_at = 0.0

    def load(self, version: str) -> "LoadedRelease | None":
        """Open a release and query each of its indexes; None if that fails, or has failed and is not due again."""
        if version == self._refused and time.monotonic() < self._retry_at:
            return None
        from recommender.loaded_release import LoadedRelease

        started = time.monotonic()
        try:
            loaded = LoadedRelease.open(releases.fetch(self._store, version, self._cache))
            _warm(loaded)
        except Exception as error:  # noqa: BLE001 - whatever fails, the releases in service stay
            self._refuse(version, error)
            return None
        self.forget()
        log.info("release_loaded", version=version, seconds=round(time.monotonic() - started, 2))
        return loaded

    def forget(self) -> None:
        """Forget the release that has failed, so that it is tried again as soon as it is named again."""
        self._refused, self._failures, self.reason = None, 0, None

    def _refuse(self, version: str, error: Exception) -> None:
        self._failures = self._failures + 1 if version == self._refused else 1
        self._refused = version
        self._retry_at = time.monotonic() + min(MAX_RETRY_SECONDS, 2.0**self._failures)
        self._metrics.release_failures.inc()
        self.reason = str(error) if isinstance(error, StoreError) else summary(error)
        log.warning("release_refused", version=version, failures=self._failures, reason=log_reason(error))
        self._on_failure(version, self._failures)


def _warm(loaded: "LoadedRelease") -> None:
    """Query each index once, so that lazy initialisation is done before the first request."""
    loaded.recipe_products(0, 1)
    loaded.recipes_by_ingredients(loaded.names[:1], 1)
    loaded.recipes_by_text("감자", 1)
