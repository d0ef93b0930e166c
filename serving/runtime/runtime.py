"""What a running application is made of: opened at start-up, closed at shutdown."""

import gc
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import orjson
import structlog
from sqlalchemy import Engine

from artifacts.errors import StoreError
from artifacts.open import open_store
from recommender.search.index import query_tokens
from serving.runtime.event_writer import Event, EventWriter, new_event_id
from serving.runtime.live_release import LiveRelease
from serving.runtime.login_attempts import LoginAttempts
from serving.runtime.poller import Poller
from serving.runtime.refresh import CatalogFeed
from serving.runtime.snapshot import LiveSnapshot
from serving.web.auth import Authenticator, Revocations, Tokens
from serving.web.clock import Clock
from serving.web.errors import StartupError
from serving.web.metrics import Metrics
from serving.web.settings import ServingSettings
from sql.engines import DatabaseUnavailable, service_engine, warehouse_engine

# A connection that says nothing for so long is given up, and a look at the logins that takes longer is late.
SILENCE_SECONDS = 10
# Data and releases may be large: as long as one is read, the one before is served.
LOAD_SECONDS = 60

log = structlog.get_logger()


class Part(StrEnum):
    """What an application may need besides accounts."""

    CATALOG = "catalog"
    RELEASE = "release"
    EVENTS = "events"  # stored on request, so that without the warehouse the service is of no use


class Runtime:
    """Engines, the view that is answered from, and the threads that keep it fresh."""

    def __init__(self, settings: ServingSettings, clock: Clock, metrics: Metrics, parts: frozenset[Part]) -> None:
        """Raise :class:`StartupError` when the configuration cannot be right; a server that is away is no such case."""
        self.parts = parts
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self.snapshot = LiveSnapshot()
        self.release: LiveRelease | None = None
        try:
            self.service_db = service_engine(silence_seconds=SILENCE_SECONDS)
            self.warehouse = warehouse_engine(silence_seconds=SILENCE_SECONDS)
            if Part.RELEASE in parts:
                self.release = LiveRelease(open_store(), settings.var_dir / "cache", self.snapshot, metrics)
        except (DatabaseUnavailable, StoreError) as error:
            raise StartupError(str(error)) from None
        self.events = EventWriter(self.warehouse, clock, metrics)
        tokens = Tokens(settings.secret_key.get_secret_value(), timedelta(minutes=settings.access_token_minutes), clock)
        revocations = Revocations(self.service_db, clock)
        self.auth = Authenticator(tokens, revocations)
        self.login_attempts = LoginAttempts()
        every = settings.poll_seconds
        self._pollers = [Poller("logins", every, SILENCE_SECONDS, revocations.refresh)]
        if Part.CATALOG in parts:
            feed = CatalogFeed(self.service_db, self.snapshot)
            self._pollers.append(Poller("catalog", every, LOAD_SECONDS, feed.poll))
        if self.release:
            self._pollers.append(Poller("release", every, LOAD_SECONDS, self.release.poll))

    def start(self) -> None:
        """Read everything once, then keep it fresh; what is away now is tried again and again."""
        if Part.CATALOG in self.parts:
            query_tokens("준비")  # loads the analyser, seconds that the first search should not wait for
        for poller in self._pollers:
            poller.start()
        self.events.start()
        problems = {name: problem for name, problem in self.problems().items() if problem}
        log.info("started", release=self.snapshot.current.release_version, problems=problems)

    def stop(self) -> None:
        """Commit the events that wait, end the threads, close the connections."""
        self.events.stop()
        for poller in self._pollers:
            poller.stop()
        self.service_db.dispose()
        self.warehouse.dispose()
        gc.unfreeze()

    def problems(self) -> Mapping[str, str | None]:
        """What is wrong with each dependency, None where nothing is."""
        found = {poller.name: poller.problem for poller in self._pollers}
        if self.release and self.release.problem:
            found["release"] = self.release.problem
        found["events"] = self.events.problem
        return found

    def record_event(self, user_id: int, event_type: str, payload: Mapping[str, object]) -> None:
        """Write down what a user did or got. Nobody waits for it."""
        self.record_encoded_event(user_id, event_type, orjson.dumps(payload).decode())

    def record_encoded_event(self, user_id: int, event_type: str, payload: str) -> None:
        """The same, with the payload as the JSON of an object."""
        self.events.record_event(Event(new_event_id(), user_id, event_type, payload=payload))

    def engines(self) -> dict[str, Engine]:
        """The databases that this application uses, by name."""
        return {"service": self.service_db, "warehouse": self.warehouse}
