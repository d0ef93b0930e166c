"""Event writer: one thread that commits the events of many requests together, before they are answered."""

import asyncio
import io
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg2
import structlog
from psycopg2 import errorcodes
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, SQLAlchemyError

from serving.web.clock import Clock
from serving.web.errors import Unavailable, log_reason, summary
from serving.web.metrics import Metrics
from sql.engines import driver_connection
from sql.timeouts import set_timeouts

log = structlog.get_logger()

COLUMNS: Final = (
    "event_id",
    "received_at",
    "occurred_at",
    "user_id",
    "session_id",
    "event_type",
    "path",
    "label",
    "payload",
)
_NAMES: Final = ", ".join(COLUMNS)
_COPY: Final = f"COPY user_event ({_NAMES}) FROM STDIN"
_STAGE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE user_event INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
)
_COPY_STAGE: Final = f"COPY incoming ({_NAMES}) FROM STDIN"
_MERGE: Final = f"INSERT INTO user_event ({_NAMES}) SELECT {_NAMES} FROM incoming ON CONFLICT (event_id) DO NOTHING"  # noqa: S608
# Authors of stored rows whose event_id arrived again from another author.
_TAKEN: Final = """
    SELECT stored.event_id::text, stored.user_id, CASE WHEN stored.user_id IS NULL THEN stored.session_id END
    FROM user_event AS stored JOIN incoming USING (event_id)
    WHERE stored.user_id IS DISTINCT FROM incoming.user_id
        OR stored.user_id IS NULL AND stored.session_id IS DISTINCT FROM incoming.session_id
"""
# Stores nothing, and fails for every reason that a COPY or the merge would fail for.
_CHECK: Final = f"INSERT INTO user_event ({_NAMES}) SELECT {_NAMES} FROM user_event WHERE false"  # noqa: S608
_NULL: Final = "\\N"
# https://www.postgresql.org/docs/current/sql-copy.html, text format.
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


# Seeded by the system, so that no two processes generate the same ids.
_numbers: Final = random.Random(os.urandom(32))  # noqa: S311 - ids are no secrets


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """Bounds of the event writer; counts are of events, not of requests."""

    max_waiting: int = 20_000
    # Smaller for events that the API records itself, so that they leave room for requests to store events.
    max_recorded_waiting: int = 10_000
    max_commit: int = 5_000
    # Of each statement, so that an event is visible soon after its received_at or not at all.
    statement_seconds: float = 5.0
    answer_seconds: float = 15.0
    # A silent server answers neither a commit nor its timeout.
    silent_seconds: float = 10.0
    # Interval of checks of an idle writer.
    check_seconds: float = 1.0
    # How long recorded events wait for more of them.
    recorded_seconds: float = 0.1


class EventRefused(ValueError):
    """The warehouse cannot store a value of the event."""


class EventIdTaken(ValueError):
    """An event of another author has this id."""


# The user, or the session of an anonymous visitor.
Author = tuple[int | None, str | None]


class Event(NamedTuple):
    """A row of ``user_event`` before it is received; ``payload`` is the JSON of an object."""

    event_id: str
    user_id: int | None
    event_type: str
    occurred_at: datetime | None = None
    session_id: str | None = None
    path: str | None = None
    label: str | None = None
    payload: str = "{}"

    @property
    def author(self) -> Author:
        """The user or the anonymous session, which alone may send the event again."""
        return self.user_id, self.session_id if self.user_id is None else None

    def line(self, received_at: str) -> str:
        """Format the event as a line of COPY."""
        fields = (
            self.event_id,
            received_at,
            _NULL if self.occurred_at is None else self.occurred_at.isoformat(),
            _NULL if self.user_id is None else str(self.user_id),
            _NULL if self.session_id is None else _escaped(self.session_id),
            _escaped(self.event_type),
            _NULL if self.path is None else _escaped(self.path),
            _NULL if self.label is None else _escaped(self.label),
            _escaped(self.payload),
        )
        return "\t".join(fields)


def _escaped(text: str) -> str:
    # Few texts need escaping, and the check is cheaper than translating.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Events that share an answer; without an answer for events that the API records itself."""

    events: Sequence[Event]
    answer: "asyncio.Future[None] | None"


class _Taken(Exception):
    """Authors of the ids that events of other authors in the group have too."""

    def __init__(self, authors: Mapping[str, Author]) -> None:
        super().__init__(f"{len(authors)} ids are taken")
        self._authors = authors

    def by(self, waiting: _Waiting) -> str | None:
        """Return an id that ``waiting`` may not use, if there is one."""
        for event in waiting.events:
            if self._authors.get(event.event_id, event.author) != event.author:
                return event.event_id
        return None


def new_event_id() -> str:
    """Generate a UUIDv7 (RFC 9562, 5.7, with the time below a millisecond in ``rand_a``) of non-secret numbers.

    Random numbers of the system would cost as much as everything else about an event.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    random_bits = _numbers.getrandbits(62)
    digits = f"{milliseconds << 80 | 7 << 76 | rest * 4096 // 1_000_000 << 64 | 2 << 62 | random_bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class EventWriter:
    """Commits events in groups.

    While the warehouse is unavailable, ``write`` refuses events and ``record_event`` drops and counts them.
    """

    def __init__(self, engine: Engine, clock: Clock, metrics: Metrics, limits: WriterLimits = WriterLimits()) -> None:
        self.limits = limits
        self._problem: str | None = "starting"
        self._began: float | None = None
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._changed = threading.Condition()
        self._awaited = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)

    async def write(self, events: Sequence[Event]) -> None:
        """Return after the events are committed; an event that is stored already changes nothing.

        Raises :class:`Unavailable` when it is unknown whether the commit succeeded, :class:`EventRefused` when they
        cannot be stored and :class:`EventIdTaken` when one has the id of an event of another author.
        """
        if self.problem is not None or self._stopping or not self._thread.is_alive():
            raise Unavailable(f"events cannot be stored right now: {self.problem or 'shutting down'}")
        answer = asyncio.get_running_loop().create_future()
        if not self._put(_Waiting(events, answer), self.limits.max_waiting):
            raise Unavailable("too many events are waiting to be stored")
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                await answer
        except TimeoutError:
            raise Unavailable("the events could not be stored in time") from None

    def record_event(self, event: Event) -> bool:
        """Store an event without waiting for its commit; while that is not possible, drop and count it: False.

        Recorded events are collected before the writer wakes: waking it for each would cost more than writing it.
        """
        if self.problem is None and self._put(_Waiting((event,), None), self.limits.max_recorded_waiting):
            return True
        self._metrics.events_dropped.inc()
        return False

    def start(self) -> None:
        """Check the warehouse, then start the thread."""
        self._check()
        self._thread.start()

    def stop(self) -> None:
        """Commit the waiting events and stop the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(self.limits.answer_seconds)

    @property
    def problem(self) -> str | None:
        """Why events cannot be stored, None if they can."""
        began = self._began
        if began is not None and time.monotonic() - began > self.limits.silent_seconds:
            return "the database does not answer"
        return self._problem

    @property
    def waiting(self) -> int:
        """Number of events whose commit has not begun."""
        return self._count

    def _put(self, waiting: _Waiting, most: int) -> bool:
        with self._changed:
            # A batch larger than the bound is accepted if nothing waits, or it never would be.
            if self._stopping or (self._count and self._count + len(waiting.events) > most):
                return False
            self._waiting.append(waiting)
            self._count += len(waiting.events)
            if waiting.answer is not None or self._count == 1:
                self._awaited = self._awaited or waiting.answer is not None
                self._changed.notify()
        return True

    def _run(self) -> None:
        while True:
            try:
                group = self._next_group()
                if group:
                    self._commit(group)
                elif self._stopping:
                    return
                else:
                    self._check()
            except Exception as error:  # noqa: BLE001 - a dead writer would refuse every event, unnoticed
                self._fail(error)

    def _next_group(self) -> list[_Waiting]:
        """Take the waiting events of one commit; none after an idle second or when stopping."""
        group: list[_Waiting] = []
        taken = 0
        with self._changed:
            if not self._waiting and not self._stopping:
                self._changed.wait(self.limits.check_seconds)
            if self._waiting and not self._awaited and not self._stopping:
                self._changed.wait(self.limits.recorded_seconds)
            while self._waiting and (not group or taken + len(self._waiting[0].events) <= self.limits.max_commit):
                group.append(self._waiting.popleft())
                taken += len(group[-1].events)
            self._count -= taken
            self._awaited = any(waiting.answer is not None for waiting in self._waiting)
        self._metrics.event_queue.set(self._count)
        return group

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            self._insert([event for waiting in group for event in waiting.events])
        except _Taken as taken:
            self._commit_without(taken, group)
        except Exception as error:  # noqa: BLE001 - whatever fails, the waiting requests are answered
            if not _is_refusal(error):
                self._fail(error)
                self._count_dropped(group)
                _answer(group, Unavailable, "the events could not be stored")
            elif len(group) == 1:
                log.warning("event_refused", events=len(group[0].events), reason=log_reason(error))
                self._count_dropped(group)
                _answer(group, EventRefused, "the event holds a value that cannot be stored")
            else:
                # One of them is invalid; the others are stored.
                for waiting in group:
                    self._commit([waiting])
        else:
            _answer(group)

    def _commit_without(self, taken: _Taken, group: list[_Waiting]) -> None:
        """Refuse those that use an id of another author, and commit the others."""
        others = []
        for waiting in group:
            event_id = taken.by(waiting)
            if event_id is None:
                others.append(waiting)
            else:
                self._count_dropped([waiting])
                _answer([waiting], EventIdTaken, f"another event has the event_id {event_id}: give this one a new id")
        if others:
            self._commit(others)

    def _insert(self, events: Sequence[Event]) -> None:
        distinct = _distinct(events)
        with self._transaction() as (connection, cursor):
            try:
                self._copy(cursor, _COPY, list(distinct.values()))
            except psycopg2.Error as error:
                if error.pgcode != errorcodes.UNIQUE_VIOLATION:
                    raise
                # Some are stored already, which is rare: only then is a staging table worth its cost.
                connection.rollback()
                cursor.execute(_STAGE)
                self._copy(cursor, _COPY_STAGE, list(distinct.values()))
                cursor.execute(_MERGE)
                cursor.execute(_TAKEN)
                taken = {event_id: (user_id, session_id) for event_id, user_id, session_id in cursor.fetchall()}
                if taken:
                    raise _Taken(taken) from None
            connection.commit()
        self._metrics.events.inc(len(distinct))

    def _copy(self, cursor: Any, statement: str, events: Sequence[Event]) -> None:  # noqa: ANN401 - a cursor of psycopg2
        cursor.execute(set_timeouts(self.limits.statement_seconds))
        received_at = self._clock().isoformat()
        lines = "\n".join([event.line(received_at) for event in events]).encode()
        cursor.copy_expert(statement, io.BytesIO(lines), len(lines) + 1)

    def _check(self) -> None:
        try:
            with self._transaction() as (_, cursor):
                cursor.execute(set_timeouts(self.limits.statement_seconds))
                cursor.execute(_CHECK)
        except SQLAlchemyError as error:
            self._fail(error)
        else:
            if self._problem not in {None, "starting"}:
                log.info("warehouse_recovered")
            self._problem = None

    def _fail(self, error: Exception) -> None:
        problem = summary(error)
        if problem != self._problem:
            log.warning("warehouse_unavailable", problem=problem, reason=log_reason(error))
        self._problem = problem

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Any, Any]]:
        """Open a connection and a cursor of psycopg2; rolled back unless committed."""
        self._began = time.monotonic()
        try:
            with driver_connection(self._engine) as connection, closing(connection.cursor()) as cursor:
                yield connection, cursor
        finally:
            self._began = None

    def _count_dropped(self, group: Sequence[_Waiting]) -> None:
        self._metrics.events_dropped.inc(sum(len(waiting.events) for waiting in group if waiting.answer is None))


def _distinct(events: Sequence[Event]) -> dict[str, Event]:
    """Return the first event of each id; raises :class:`_Taken` when a later one has another author."""
    distinct: dict[str, Event] = {}
    taken: dict[str, Author] = {}
    for event in events:
        first = distinct.setdefault(event.event_id, event)
        if first is not event and first.author != event.author:
            taken[first.event_id] = first.author
    if taken:
        raise _Taken(taken)
    return distinct


def _is_refusal(error: Exception) -> bool:
    """Whether a value is invalid: the database refused it, or it could not be sent."""
    return isinstance(error, DataError | ValueError)


def _answer(group: Sequence[_Waiting], failure: type[Exception] | None = None, why: str = "") -> None:
    """Resolve the answers of the group, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiting in group:
        if waiting.answer is not None:
            by_loop.setdefault(waiting.answer.get_loop(), []).append(waiting.answer)
    for loop, answers in by_loop.items():
        # Nothing waits in a closed loop.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, answers, failure, why)


def _resolve(answers: Sequence["asyncio.Future[None]"], failure: type[Exception] | None, why: str) -> None:
    for answer in answers:
        if answer.done():
            continue
        if failure is None:
            answer.set_result(None)
        else:
            answer.set_exception(failure(why))
