"""Load a release beside those in service; one that cannot be loaded is tried again after 2, 4, … 60 seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from artifacts import release as releases
from artifacts.release import CorruptRelease
from artifacts.release_cache import locked
from artifacts.store import Store
from recommender.relations.facts import as_product
from serving.web.errors import log_reason, summary
from serving.web.metrics import Metrics

if TYPE_CHECKING:
    from recommender.loaded_release import LoadedRelease

log = structlog.get_logger()

MAX_RETRY_SECONDS: Final = 60.0


class ReleaseLoader:
    """Downloads, checks and opens releases; ``reason`` is why the last one cannot be loaded.

    ``on_refusal`` is called with the version and how often in a row it could not be read or opened. A full disk or a
    store that is away says nothing of a release, and is no refusal.
    """

    def __init__(self, store: Store, cache: Path, metrics: Metrics, on_refusal: Callable[[str, int], None]) -> None:
        self.reason: str | None = None
        self._store = store
        self._cache = cache
        self._metrics = metrics
        self._on_refusal = on_refusal
        self._failed: str | None = None
        self._failures = self._refusals = 0
        self._retry_at = 0.0

    def load(self, version: str) -> "LoadedRelease | None":
        """Open a release and query each of its indexes; None if that fails, or has failed and is not due again."""
        if version == self._failed and time.monotonic() < self._retry_at:
            return None
        started = time.monotonic()
        try:
            with locked(self._cache):  # until it is open, so that no other process deletes it
                loaded = self._open(version)
        except Exception as error:  # noqa: BLE001 - whatever fails, the releases in service stay
            self._fail(version, error)
            return None
        if loaded is None:
            return None
        self.forget()
        log.info("release_loaded", version=version, seconds=round(time.monotonic() - started, 2))
        return loaded

    def forget(self) -> None:
        """Forget the release that has failed, so that it is tried again as soon as it is named again."""
        self._failed, self._failures, self._refusals, self.reason = None, 0, 0, None

    def _open(self, version: str) -> "LoadedRelease | None":
        from recommender.loaded_release import LoadedRelease

        folder = self._fetch(version)
        if folder is None:
            return None
        try:
            loaded = LoadedRelease.open(folder)
            _warm(loaded)
        except Exception as error:  # noqa: BLE001 - whatever fails, the releases in service stay
            self._refuse(version, error)
            return None
        return loaded

    def _fetch(self, version: str) -> Path | None:
        try:
            return releases.fetch(self._store, version, self._cache)
        except CorruptRelease as error:
            self._refuse(version, error)
        except Exception as error:  # noqa: BLE001 - whatever fails, the releases in service stay
            self._fail(version, error)
        return None

    def _refuse(self, version: str, error: Exception) -> None:
        """Note that a release cannot be read or opened."""
        self._fail(version, error)
        self._refusals += 1
        self._on_refusal(version, self._refusals)

    def _fail(self, version: str, error: Exception) -> None:
        """Note that a release is not loaded, and when it is tried again."""
        if version != self._failed:
            self.forget()
        self._failed = version
        self._failures += 1
        self._retry_at = time.monotonic() + min(MAX_RETRY_SECONDS, 2.0**self._failures)
        self._metrics.release_failures.inc()
        self.reason = summary(error)
        log.warning("release_refused", version=version, failures=self._failures, reason=log_reason(error))


def _warm(loaded: "LoadedRelease") -> None:
    """Ask each kind of question once, so that what is computed at the first use is there before the first request."""
    name = next(iter(loaded.names), "감자")
    new = as_product(name, name, name)
    loaded.recipe_products(0, 1)
    loaded.recipes_by_ingredients([name], 1)
    loaded.recipes_by_text(name, 1)
    loaded.ingredient_products(new, 1)
    loaded.recipes_for_new(new, 1)
    loaded.complete([name], 1)
    loaded.closest_partner(name, [name])
