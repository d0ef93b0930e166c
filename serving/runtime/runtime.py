"""Runtime of an application: engines, snapshot, threads; opened at start-up and closed at shutdown."""

import gc
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import structlog
from anyio import CapacityLimiter
from sqlalchemy import Engine, QueuePool
from starlette.types import Scope

from artifacts.errors import StoreError
from artifacts.open import open_store
from recommender.search.texts import query_tokens
from serving.runtime.attempts import AttemptLimits
from serving.runtime.event_quota import EventQuotas
from serving.runtime.event_writer import Author, Event, EventWriter, WriterLimits, new_event_id
from serving.runtime.live_release import LiveRelease
from serving.runtime.poller import Poller
from serving.runtime.refresh import CatalogFeed
from serving.runtime.snapshot import LiveSnapshot, Snapshot
from serving.runtime.visitor import visitor_of
from serving.web.auth import Authenticator, Revocations, Tokens
from serving.web.clock import Clock
from serving.web.errors import StartupError
from serving.web.head import is_shown
from serving.web.metrics import Metrics
from serving.web.middleware import route_of
from serving.web.settings import ServingSettings
from serving.web.visitor_session import given_session
from sql.engines import service_engine, warehouse_engine
from sql.errors import DatabaseUnavailable
from sql.warehouse.event_types import AnswerFailed, EventPayload, ReleaseRefused

# A connection that is silent for so long is closed, and a poll of the logins that takes longer is a problem.
SILENCE_SECONDS = 10
# Data and releases may be large: while the next one is loaded, the last one is served.
LOAD_SECONDS = 60
# A mail server may be slow; threads that wait for it must not be those that answer requests.
MAILS_AT_ONCE = 2
# Of all exports together: the connections of the warehouse are those that events are stored by.
EXPORT_PAGES_AT_ONCE = 1
# Failures in a row after which a release counts as refused: half a minute. What ends before was the store's problem.
REFUSED_AFTER = 5

log = structlog.get_logger()


class Dependency(StrEnum):
    """What an application may need in addition to accounts."""

    CATALOG = "catalog"
    RELEASE = "release"
    EVENTS = "events"  # stored on request: without the warehouse the service is not ready


class Runtime:
    """Engines, the live snapshot, and the threads that keep it up to date."""

    def __init__(
        self,
        settings: ServingSettings,
        clock: Clock,
        metrics: Metrics,
        dependencies: frozenset[Dependency],
        writer_limits: WriterLimits = WriterLimits(),
    ) -> None:
        """Open everything; :class:`StartupError` for an invalid configuration, not for an unavailable server."""
        self.dependencies = dependencies
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self.live_snapshot = LiveSnapshot()
        self.release: LiveRelease | None = None
        try:
            self.service_db = service_engine(silence_seconds=SILENCE_SECONDS)
            self.warehouse = warehouse_engine(silence_seconds=SILENCE_SECONDS)
            if Dependency.RELEASE in dependencies:
                cache = settings.var_dir / "cache"
                self.release = LiveRelease(open_store(), cache, self.live_snapshot, metrics, self._record_refusal)
        except (DatabaseUnavailable, StoreError) as error:
            raise StartupError(str(error)) from None
        self.events = EventWriter(self.warehouse, clock, metrics, writer_limits)
        tokens = Tokens(settings.secret_key.get_secret_value(), timedelta(minutes=settings.access_token_minutes), clock)
        revocations = Revocations(self.service_db, clock)
        self.auth = Authenticator(tokens, revocations)
        self.mail_slots = CapacityLimiter(MAILS_AT_ONCE)
        self.export_slots = CapacityLimiter(EXPORT_PAGES_AT_ONCE)
        self.event_quotas = EventQuotas()
        self.attempts = AttemptLimits(self.service_db, settings.secret_key.get_secret_value())
        every = settings.poll_seconds
        self._pollers = [Poller("logins", every, SILENCE_SECONDS, revocations.refresh)]
        if Dependency.CATALOG in dependencies:
            feed = CatalogFeed(self.service_db, self.live_snapshot)
            self._pollers.append(Poller("catalog", every, LOAD_SECONDS, feed.poll))
        if self.release:
            self._pollers.append(Poller("release", every, LOAD_SECONDS, self.release.poll))
        # Another worker may be asked for the metrics of this one.
        self._measured = Poller("metrics", every, LOAD_SECONDS, self.measure)

    def start(self) -> None:
        """Load everything once, then start polling; what is unavailable now is tried again at each poll."""
        if Dependency.CATALOG in self.dependencies:
            query_tokens("준비")  # loads the analyser, which takes seconds, before the first search
        for poller in self._pollers:
            poller.start()
        self.events.start()
        self._measured.start()
        problems = {name: problem for name, problem in self.problems().items() if problem}
        log.info("started", release=self.live_snapshot.current.release_version, problems=problems)

    def stop(self) -> None:
        """Commit the waiting events, stop the threads, close the connections."""
        self.events.stop()
        for poller in (self._measured, *self._pollers):
            poller.stop()
        self.service_db.dispose()
        self.warehouse.dispose()
        gc.unfreeze()

    def problems(self) -> Mapping[str, str | None]:
        """Return the problem of each dependency, None where there is none."""
        found = {poller.name: poller.problem for poller in self._pollers}
        if problem := self.release_problem:
            found["release"] = problem
        found["events"] = self.events.problem
        return found

    @property
    def release_problem(self) -> str | None:
        """Why the newest release or the canary is not in service; None if there is no problem."""
        return (self.release.problem or self.release.canary.problem) if self.release else None

    def snapshot_of(self, scope: Scope) -> Snapshot:
        """Return the snapshot that a request is answered from: while a canary runs, it depends on the visitor."""
        served = self.live_snapshot.served
        return served.live if served.canary is None else served.to_visitor(visitor_of(scope, self.auth))

    def record_event(self, user_id: int, payload: EventPayload) -> str | None:
        """Record what a user did or was shown, without waiting for the commit; return its id, None without it."""
        return self.record_encoded_event((user_id, None), payload.event_type, payload.to_json())

    def record_encoded_event(self, author: Author, event_type: str, payload: str) -> str | None:
        """Record an event whose payload is encoded already, as the JSON of an object; see :meth:`record_event`."""
        if not is_shown.get():
            return None
        user_id, session_id = author
        event = Event(new_event_id(), user_id, event_type, session_id=session_id, payload=payload)
        return event.event_id if self.events.record_event(event) else None

    def record_failed_answer(self, scope: Scope, release_version: str | None) -> None:
        """Record that a request was answered by an error of the API itself."""
        user_id = scope.get("state", {}).get("user_id")
        session_id = given_session(scope) if user_id is None else None
        payload = AnswerFailed(release_version=release_version, route=route_of(scope))
        self.record_encoded_event((user_id, session_id), payload.event_type, payload.to_json())

    def _record_refusal(self, version: str, failures: int) -> None:
        if failures == REFUSED_AFTER:
            payload = ReleaseRefused(release_version=version)
            self.record_encoded_event((None, None), payload.event_type, payload.to_json())

    def engines(self) -> dict[str, Engine]:
        """Return the engines of the databases by name."""
        return {"service": self.service_db, "warehouse": self.warehouse}

    def measure(self) -> None:
        """Set the gauges of what is only known when it is looked at."""
        for name, problem in self.problems().items():
            self.metrics.dependency.labels(name).set(problem is None)
        for name, engine in self.engines().items():
            if isinstance(engine.pool, QueuePool):
                self.metrics.database_connections.labels(name).set(engine.pool.checkedout())
                self.metrics.database_pool.labels(name).set(engine.pool.size())
