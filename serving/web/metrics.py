"""Prometheus metrics of ``/metrics``, one registry an application.

Where ``PROMETHEUS_MULTIPROC_DIR`` names a folder, which `ukok serve --workers` makes, the workers keep their values
there, and whichever of them is asked answers for all.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serving.web.errors import StartupError

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# The client library reads it when it is imported.
FOLDER: Final = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
# How the values of living workers become one.
Combined = Literal["livesum", "livemin", "livemax"]


class Metrics:
    """Metrics of one running application, or of all its workers."""

    def __init__(self) -> None:
        if FOLDER is not None and not Path(FOLDER).is_dir():
            raise StartupError(f"PROMETHEUS_MULTIPROC_DIR: there is no folder {FOLDER}; unset it for a single process")
        self._served: dict[Gauge, list[Gauge]] = {}
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ukok_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "ukok_request_seconds", "Time to answer", ("route",), buckets=LATENCY_BUCKETS, registry=self.registry
        )
        self.release = self._gauge("ukok_release_info", "1 for the release in service", "livemax", "version")
        self.canary = self._gauge(
            "ukok_canary_share", "Share of the visitors that the canary is served to", "livemax", "version"
        )
        self.release_failures = Counter(
            "ukok_release_load_failures", "Releases that could not be put into service", registry=self.registry
        )
        self.events = Counter("ukok_events_committed", "Events committed to the warehouse", registry=self.registry)
        self.event_queue = self._gauge("ukok_event_queue", "Events waiting for their commit", "livesum")
        self.events_dropped = Counter(
            "ukok_events_dropped", "Events that the API recorded and could not store", registry=self.registry
        )
        self.recommendations = Counter(
            "ukok_recommendations",
            "Recommendations answered, by the release that was in service and what answered",
            ("route", "release", "stage"),
            registry=self.registry,
        )
        self.dependency = self._gauge("ukok_dependency_up", "1 while the dependency answers", "livemin", "dependency")
        self.database_connections = self._gauge(
            "ukok_database_connections", "Connections in use", "livesum", "database"
        )
        self.database_pool = self._gauge(
            "ukok_database_pool", "Connections that the pool keeps open", "livesum", "database"
        )

    def recommended(self, route: str, release: str | None, stage: str) -> Counter:
        """Return the counter of recommendations with these labels."""
        return self.recommendations.labels(route, release or "none", stage)

    def show_only(self, gauge: Gauge, version: str | None, value: float = 1) -> None:
        """Show the value of one version, and of no other; where workers share a folder, of the others a 0 remains."""
        for shown in self._served.pop(gauge, []):
            shown.set(0)
        if FOLDER is None:
            gauge.clear()
        if version is not None:
            shown = gauge.labels(version)
            shown.set(value)
            self._served[gauge] = [shown]

    def text(self) -> bytes:
        """Return the metrics of all workers in the text format of Prometheus."""
        if FOLDER is None:
            return generate_latest(self.registry)
        _forget_dead_workers(Path(FOLDER))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, FOLDER)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _gauge(self, name: str, description: str, combined: Combined, *labels: str) -> Gauge:
        return Gauge(name, description, labels, registry=self.registry, multiprocess_mode=combined)


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that have ended; their counters stay, as what was counted did happen."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker does the same
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
