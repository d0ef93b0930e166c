"""The one thread that writes events: many requests share a commit, and none is answered before it."""

import asyncio
import json
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from serving.common.clock import Clock
from serving.common.errors import Unavailable, log_reason, summary
from serving.common.metrics import Metrics
from sql.warehouse.events import UserEvent

log = structlog.get_logger()

MOST_WAITING = 10_000
LARGEST_COMMIT = 1_000
# Bounds each statement of the transaction, so that an event is visible soon after its received_at or not at all.
STATEMENT_MILLISECONDS = 5_000
ANSWER_WITHIN_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 1.0


class EventRefused(ValueError):
    """The warehouse cannot hold this event as it is."""


@dataclass(frozen=True, slots=True)
class Event:
    """A row of ``user_event`` before it is received."""

    event_id: UUID
    user_id: int | None
    event_type: str
    occurred_at: datetime | None = None
    session_id: str | None = None
    path: str | None = None
    label: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    def row(self, received_at: datetime) -> dict[str, Any]:
        """The event as a row."""
        return {
            "event_id": self.event_id,
            "received_at": received_at,
            "occurred_at": self.occurred_at,
            "user_id": self.user_id,
            "session_id": self.session_id,
            "event_type": self.event_type,
            "path": self.path,
            "label": self.label,
            "payload": self.payload,
        }


@dataclass(frozen=True, slots=True)
class _Waiting:
    events: Sequence[Event]
    answer: "asyncio.Future[None]"


class EventWriter:
    """Commits events in groups. While the warehouse is away new events are refused at once, never lost."""

    def __init__(self, engine: Engine, clock: Clock, metrics: Metrics) -> None:
        self.problem: str | None = "starting"
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        # None says that nothing will follow.
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(MOST_WAITING)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)

    async def write(self, events: Sequence[Event]) -> None:
        """Return once the events are committed; writing one again that is stored changes nothing.

        Raises :class:`Unavailable` when that cannot be told and :class:`EventRefused` when they cannot be stored.
        """
        if self.problem is not None or self._stopping or not self._thread.is_alive():
            raise Unavailable(f"events cannot be stored right now: {self.problem or 'shutting down'}")
        waiting = _Waiting(events, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise Unavailable("too many events are waiting to be stored") from None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                await waiting.answer
        except TimeoutError:
            raise Unavailable("the events could not be stored in time") from None

    def start(self) -> None:
        """Look at the warehouse, then serve."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits and end."""
        self._stopping = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(ANSWER_WITHIN_SECONDS)

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._next_group()
            if group:
                self._commit(group)
            elif more:
                self._look()

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Everything that waits, up to one commit's worth, nothing after a quiet while; and whether more may follow."""
        group: list[_Waiting] = []
        count = 0
        while count < LARGEST_COMMIT:
            try:
                waiting = self._queue.get_nowait() if group else self._queue.get(timeout=LOOK_AGAIN_SECONDS)
            except queue.Empty:
                break
            if waiting is None:
                return group, False
            group.append(waiting)
            count += len(waiting.events)
        self._metrics.event_queue.set(self._queue.qsize())
        return group, True

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            self._insert([event for waiting in group for event in waiting.events])
        except (SQLAlchemyError, ValueError) as error:
            if not _is_refusal(error):
                self._fail(error)
                _answer(group, Unavailable, "the events could not be stored")
            elif len(group) == 1:
                log.warning("event_refused", events=len(group[0].events), reason=log_reason(error))
                _answer(group, EventRefused, "the event holds a value that cannot be stored")
            else:
                # One of them is to blame; the others must not suffer for it.
                for waiting in group:
                    self._commit([waiting])
        else:
            _answer(group)

    def _insert(self, events: Sequence[Event]) -> None:
        with self._engine.begin() as conn:
            _bound(conn)
            received_at = self._clock()
            rows = {event.event_id: event.row(received_at) for event in events}
            conn.execute(insert(UserEvent).on_conflict_do_nothing(index_elements=["event_id"]), list(rows.values()))
        self._metrics.events.inc(len(rows))

    def _look(self) -> None:
        try:
            with self._engine.connect() as conn:
                _bound(conn)
                conn.execute(select(UserEvent.event_id).limit(1))
        except SQLAlchemyError as error:
            self._fail(error)
        else:
            if self.problem not in {None, "starting"}:
                log.info("warehouse_recovered")
            self.problem = None

    def _fail(self, error: Exception) -> None:
        problem = summary(error)
        if problem != self.problem:
            log.warning("warehouse_unavailable", problem=problem, reason=log_reason(error))
        self.problem = problem


def storable(payload: dict[str, Any]) -> bool:
    """Whether JSONB can hold ``payload``: no NUL character, no lone surrogate, no NaN or Infinity."""
    try:
        encoded = json.dumps(payload, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return b"\\u0000" not in encoded


def _is_refusal(error: Exception) -> bool:
    """Whether the values are to blame: the database said so, or they could not even be sent to it."""
    return isinstance(error, DataError) or not isinstance(error, DBAPIError | PoolTimeoutError)


def _bound(conn: Connection) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    calls = ", ".join(f"set_config('{name}', '{STATEMENT_MILLISECONDS}', true)" for name in names)
    conn.execute(text(f"SELECT {calls}"))


def _answer(group: list[_Waiting], failure: type[Exception] | None = None, why: str = "") -> None:
    for waiting in group:
        error = failure(why) if failure else None
        waiting.answer.get_loop().call_soon_threadsafe(_resolve, waiting.answer, error)


def _resolve(answer: "asyncio.Future[None]", error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)
