"""The canary of this process: loaded beside the live release while ``CANARY`` names it, and dropped when it ends."""

import structlog

from artifacts.canary import Canary, read_canary
from artifacts.release import CorruptRelease
from artifacts.store import Store
from serving.runtime.release_loader import ReleaseLoader
from serving.runtime.snapshot import LiveSnapshot
from serving.web.metrics import Metrics

log = structlog.get_logger()


class CanaryRelease:
    """Follows ``CANARY``; ``problem`` is why what it names is not served, and everybody gets the live release."""

    def __init__(self, store: Store, loader: ReleaseLoader, live_snapshot: LiveSnapshot, metrics: Metrics) -> None:
        self.named: Canary | None = None
        self.problem: str | None = None
        self._store = store
        self._loader = loader
        self._live_snapshot = live_snapshot
        self._metrics = metrics
        self._unreadable: str | None = None
        metrics.show_only(metrics.canary, None)

    def read(self) -> None:
        """Read ``CANARY``; any error but an invalid content is raised."""
        try:
            self.named, self._unreadable = read_canary(self._store), None
        except CorruptRelease as error:
            self.named, self._unreadable = None, str(error)

    def follow(self, live: str | None) -> None:
        """Serve the canary that was read if it goes with the release that ``CURRENT`` names, else end it."""
        problem = self._obstacle(live)
        if problem is None and self.named is not None and self.named.version != live:
            problem = self._serve(self.named)
        else:
            self._loader.forget()
            self._end()
        if problem and problem != self.problem:
            log.warning("canary_refused", problem=problem)
        self.problem = problem

    def _obstacle(self, live: str | None) -> str | None:
        if self.named is None:
            return self._unreadable and f"there is no canary: {self._unreadable}"
        if live not in {self.named.baseline, self.named.version}:
            return f"the canary {self.named.version} is not served: {live} is live, not {self.named.baseline}"
        return None

    def _serve(self, canary: Canary) -> str | None:
        """Put a canary into service; return why it cannot be."""
        served = self._live_snapshot.served
        if served.pointer == canary:
            return None
        release = served.canary.release if served.canary else None
        if release is None or release.version != canary.version:
            self._end()
            release = self._loader.load(canary.version)
        if release is None:
            return (
                f"the canary {canary.version} could not be loaded, {canary.baseline} serves all: {self._loader.reason}"
            )
        self._live_snapshot.set_canary(release, canary)
        self._metrics.show_only(self._metrics.canary, canary.version, canary.share)
        log.info("canary_in_service", version=canary.version, share=canary.share)
        return None

    def _end(self) -> None:
        if self._live_snapshot.served.pointer is None:
            return
        self._live_snapshot.end_canary()
        self._metrics.show_only(self._metrics.canary, None)
        log.info("canary_ended")
