"""The live release: the next one is loaded beside it, and replaces it as a whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import structlog

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.folder import FolderStore
from artifacts.release_cache import prune
from artifacts.store import Store
from serving.runtime.canary_release import CanaryRelease
from serving.runtime.release_loader import ReleaseLoader
from serving.runtime.snapshot import LiveSnapshot
from serving.web.errors import log_reason, summary
from serving.web.metrics import Metrics

log = structlog.get_logger()


class LiveRelease:
    """Follows ``CURRENT`` of the artifact store; ``problem`` is why the newest release is not in service.

    ``canary`` follows the release that a share of the visitors is served beside it.
    """

    def __init__(
        self,
        store: Store,
        cache: Path,
        live_snapshot: LiveSnapshot,
        metrics: Metrics,
        on_refusal: Callable[[str, int], None],
    ) -> None:
        self.problem: str | None = None
        self._store = store
        self._cache = cache
        self._kept: frozenset[str] = frozenset()
        self._live_snapshot = live_snapshot
        self._metrics = metrics
        self._loader = ReleaseLoader(store, cache, metrics, on_refusal)
        self.canary = CanaryRelease(store, ReleaseLoader(store, cache, metrics, on_refusal), live_snapshot, metrics)
        metrics.show_only(metrics.release, None)

    def poll(self) -> None:
        """Load the release that ``CURRENT`` names, unless it is in service; any failure keeps the one in service.

        Raises ``StoreError`` or ``OSError`` when the store is unavailable.
        """
        try:
            # First, since a promotion of the canary changes CURRENT before it removes CANARY.
            self.canary.read()
            version = releases.current(self._store)
        except (StoreError, OSError) as error:
            self._set_unknown(f"{releases.CURRENT} cannot be read, {self._fallback}: {summary(error)}")
            raise
        self._follow(version)
        self.canary.follow(version)
        if version is not None:
            self._prune(version)

    @property
    def _fallback(self) -> str:
        version = self._live_snapshot.current.release_version
        return f"{version} stays in service" if version else "none is in service"

    def _follow(self, version: str | None) -> None:
        if version is None:
            problem = self._missing_release()
            if problem and problem != self.problem:
                log.warning("release_missing", problem=problem, folder=str(getattr(self._store, "root", "")))
            self._set_unknown(problem)
        elif version == self._live_snapshot.current.release_version:
            self._set_unknown(None)
        else:
            self._load(version)

    def _set_unknown(self, problem: str | None) -> None:
        """Forget the refused release, so that it is tried again as soon as ``CURRENT`` names it."""
        self._loader.forget()
        self.problem = problem

    def _missing_release(self) -> str | None:
        """Return why no release is live, None in a system that never had one."""
        if isinstance(self._store, FolderStore) and not self._store.root.is_dir():
            return f"there is no folder of artifacts, {self._fallback}"
        if self._live_snapshot.current.release is None:
            return None
        return f"{releases.CURRENT} is gone, {self._fallback}: promote a release of `ukok release list`"

    def _load(self, version: str) -> None:
        canary = self._live_snapshot.served.canary
        if canary and canary.release and canary.release.version == version:
            loaded = canary.release  # it was promoted
        else:
            opened = self._loader.load(version)
            if opened is None:
                self.problem = f"{version} could not be loaded, {self._fallback}: {self._loader.reason}"
                return
            loaded = opened
        self._live_snapshot.update(release=loaded)
        self._metrics.show_only(self._metrics.release, version)
        self._set_unknown(None)
        log.info("release_in_service", version=version)

    def _prune(self, live: str) -> None:
        """Delete downloaded releases, once the served ones have changed: all but these and the one before the live."""
        named = (live, self._live_snapshot.current.release_version, self.canary.named and self.canary.named.version)
        served = frozenset(version for version in named if version)
        if served == self._kept:
            return
        before = releases.previous(self._store)
        try:
            removed = prune(self._cache, {*served, before})
        except TimeoutError:
            return  # another process downloads: at the next poll
        except OSError as error:
            log.warning("release_cache_not_pruned", reason=log_reason(error))
            return
        self._kept = served
        if removed:
            log.info("release_cache_pruned", removed=removed)
