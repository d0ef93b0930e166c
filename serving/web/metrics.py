"""Prometheus metrics of ``/metrics``, one registry an application."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Metrics of one running application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ukok_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "ukok_request_seconds", "Time to answer", ("route",), buckets=LATENCY_BUCKETS, registry=self.registry
        )
        self.release = Gauge("ukok_release_info", "1 for the release in service", ("version",), registry=self.registry)
        self.canary = Gauge(
            "ukok_canary_share",
            "Share of the visitors that the canary is served to",
            ("version",),
            registry=self.registry,
        )
        self.release_failures = Counter(
            "ukok_release_load_failures", "Releases that could not be put into service", registry=self.registry
        )
        self.events = Counter("ukok_events_committed", "Events committed to the warehouse", registry=self.registry)
        self.event_queue = Gauge("ukok_event_queue", "Events waiting for their commit", registry=self.registry)
        self.events_dropped = Counter(
            "ukok_events_dropped", "Events that the API recorded and could not store", registry=self.registry
        )
        self.recommendations = Counter(
            "ukok_recommendations",
            "Recommendations answered, by the release that was in service and what answered",
            ("route", "release", "stage"),
            registry=self.registry,
        )
        self.dependency = Gauge(
            "ukok_dependency_up", "1 while the dependency answers", ("dependency",), registry=self.registry
        )
        self.database_connections = Gauge(
            "ukok_database_connections", "Connections in use", ("database",), registry=self.registry
        )
        self.database_pool = Gauge(
            "ukok_database_pool", "Connections that the pool keeps open", ("database",), registry=self.registry
        )

    def recommended(self, route: str, release: str | None, stage: str) -> Counter:
        """Return the counter of recommendations with these labels."""
        return self.recommendations.labels(route, release or "none", stage)
