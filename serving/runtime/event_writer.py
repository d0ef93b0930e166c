"""The one thread that writes events: many requests share a commit, and none is answered before it."""

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
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError

from serving.web.clock import Clock
from serving.web.errors import Unavailable, log_reason, summary
from serving.web.metrics import Metrics

log = structlog.get_logger()

# Events, not requests: a batch weighs as much as it brings.
MOST_WAITING = 20_000
# What the API notes by itself makes way for what it has promised to store.
MOST_NOTES_WAITING = 10_000
LARGEST_COMMIT = 5_000
# Bounds each statement of the transaction, so that an event is visible soon after its received_at or not at all.
STATEMENT_MILLISECONDS = 5_000
ANSWER_WITHIN_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 1.0
# A server that went silent answers neither a commit nor the bound on it.
SILENT_SECONDS = 10.0
# How long notes wait for more of them.
NOTES_SECONDS = 0.1

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
_STAGE: Final = "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE user_event) ON COMMIT DELETE ROWS"
_COPY_STAGE: Final = f"COPY incoming ({_NAMES}) FROM STDIN"
_MERGE: Final = f"INSERT INTO user_event ({_NAMES}) SELECT {_NAMES} FROM incoming ON CONFLICT (event_id) DO NOTHING"  # noqa: S608
# Whose the stored rows are whose ids came again from somebody else.
_TAKEN: Final = """
    SELECT stored.event_id::text, stored.user_id, CASE WHEN stored.user_id IS NULL THEN stored.session_id END
    FROM user_event AS stored JOIN incoming USING (event_id)
    WHERE stored.user_id IS DISTINCT FROM incoming.user_id
        OR stored.user_id IS NULL AND stored.session_id IS DISTINCT FROM incoming.session_id
"""
# Stores nothing, and fails for all that would keep a COPY or the merge from storing something.
_LOOK: Final = f"INSERT INTO user_event ({_NAMES}) SELECT {_NAMES} FROM user_event WHERE false"  # noqa: S608
_NULL: Final = "\\N"
# https://www.postgresql.org/docs/current/sql-copy.html, text format.
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


# Seeded by the system, so that no two processes make the same ids.
_numbers: Final = random.Random(os.urandom(32))  # noqa: S311 - ids are no secrets


class EventRefused(ValueError):
    """The warehouse cannot hold this event as it is."""


class EventIdTaken(ValueError):
    """An event of somebody else has this id."""


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
        """Who may send the event again."""
        return self.user_id, self.session_id if self.user_id is None else None

    def line(self, received_at: str) -> str:
        """The event as a line of COPY."""
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
    # Hardly a text needs it, and to look is cheaper than to translate.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Events that share an answer; none is waited for where the API notes something by itself."""

    events: Sequence[Event]
    answer: "asyncio.Future[None] | None"


class _Taken(Exception):
    """Whose the ids are that events of others in the group have too."""

    def __init__(self, authors: Mapping[str, Author]) -> None:
        super().__init__(f"{len(authors)} ids are taken")
        self._authors = authors

    def by(self, waiting: _Waiting) -> str | None:
        """An id that ``waiting`` may not use, if there is one."""
        for event in waiting.events:
            if self._authors.get(event.event_id, event.author) != event.author:
                return event.event_id
        return None


def new_event_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7, with the time below a millisecond in ``rand_a``) of numbers that are no secret.

    To ask the system for randomness would cost as much as all else that an event needs.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    random_bits = _numbers.getrandbits(62)
    digits = f"{milliseconds << 80 | 7 << 76 | rest * 4096 // 1_000_000 << 64 | 2 << 62 | random_bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class EventWriter:
    """Commits events in groups. While the warehouse is away new events are refused at once, never lost."""

    def __init__(self, engine: Engine, clock: Clock, metrics: Metrics) -> None:
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
        """Return once the events are committed; writing one again that is stored changes nothing.

        Raises :class:`Unavailable` when that cannot be told, :class:`EventRefused` when they cannot be stored and
        :class:`EventIdTaken` when one has the id of an event of somebody else.
        """
        if self.problem is not None or self._stopping or not self._thread.is_alive():
            raise Unavailable(f"events cannot be stored right now: {self.problem or 'shutting down'}")
        answer = asyncio.get_running_loop().create_future()
        if not self._put(_Waiting(events, answer), MOST_WAITING):
            raise Unavailable("too many events are waiting to be stored")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                await answer
        except TimeoutError:
            raise Unavailable("the events could not be stored in time") from None

    def record_event(self, event: Event) -> None:
        """Store an event that nobody waits for; where that is not possible right now it is dropped, and counted.

        Notes wait for one another: to wake the writer for each would cost more than to write it.
        """
        if self.problem is not None or not self._put(_Waiting((event,), None), MOST_NOTES_WAITING):
            self._metrics.notes_dropped.inc()

    def start(self) -> None:
        """Look at the warehouse, then serve."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(ANSWER_WITHIN_SECONDS)

    @property
    def problem(self) -> str | None:
        """What keeps events from being stored, None where nothing does."""
        began = self._began
        if began is not None and time.monotonic() - began > SILENT_SECONDS:
            return "the database does not answer"
        return self._problem

    @property
    def waiting(self) -> int:
        """Events that wait for a commit which has not begun."""
        return self._count

    def _put(self, waiting: _Waiting, most: int) -> bool:
        with self._changed:
            # A batch larger than what is left is taken whole where nothing waits, or it would never be.
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
                    self._look()
            except Exception as error:  # noqa: BLE001 - a writer that died would refuse every event, unnoticed
                self._fail(error)

    def _next_group(self) -> list[_Waiting]:
        """Everything that waits, up to one commit's worth; nothing after a quiet while, or when it is time to end."""
        group: list[_Waiting] = []
        taken = 0
        with self._changed:
            if not self._waiting and not self._stopping:
                self._changed.wait(LOOK_AGAIN_SECONDS)
            if self._waiting and not self._awaited and not self._stopping:
                self._changed.wait(NOTES_SECONDS)
            while self._waiting and (not group or taken + len(self._waiting[0].events) <= LARGEST_COMMIT):
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
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            if not _is_refusal(error):
                self._fail(error)
                self._drop_notes(group)
                _answer(group, Unavailable, "the events could not be stored")
            elif len(group) == 1:
                log.warning("event_refused", events=len(group[0].events), reason=log_reason(error))
                self._drop_notes(group)
                _answer(group, EventRefused, "the event holds a value that cannot be stored")
            else:
                # One of them is to blame; the others must not suffer for it.
                for waiting in group:
                    self._commit([waiting])
        else:
            _answer(group)

    def _commit_without(self, taken: _Taken, group: list[_Waiting]) -> None:
        """Refuse those who use an id of somebody else, and commit the others."""
        others = []
        for waiting in group:
            event_id = taken.by(waiting)
            if event_id is None:
                others.append(waiting)
            else:
                self._drop_notes([waiting])
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
                # Some were stored before, which is rare: only then is the way over a table of its own worth its price.
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

    def _copy(self, cursor: Any, statement: str, events: Sequence[Event]) -> None:  # noqa: ANN401 - of psycopg2
        cursor.execute(_bounds())
        received_at = self._clock().isoformat()
        lines = "\n".join([event.line(received_at) for event in events]).encode()
        cursor.copy_expert(statement, io.BytesIO(lines), len(lines) + 1)

    def _look(self) -> None:
        try:
            with self._transaction() as (_, cursor):
                cursor.execute(_bounds())
                cursor.execute(_LOOK)
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
        """A connection and a cursor of psycopg2, which alone can COPY; rolled back unless committed.

        Its errors are raised as SQLAlchemy's, as everywhere else.
        """
        self._began = time.monotonic()
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                yield connection, cursor
        except psycopg2.Error as error:
            raise DBAPIError.instance("COPY user_event", None, error, psycopg2.Error, hide_parameters=True) from error
        finally:
            self._began = None

    def _drop_notes(self, group: Sequence[_Waiting]) -> None:
        self._metrics.notes_dropped.inc(sum(len(waiting.events) for waiting in group if waiting.answer is None))


def _distinct(events: Sequence[Event]) -> dict[str, Event]:
    """The first event of each id; raises :class:`_Taken` where a later one is of somebody else."""
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
    """Whether the values are to blame: the database said so, or they could not even be sent to it."""
    return isinstance(error, DataError | ValueError)


def _bounds() -> str:
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    return "SELECT " + ", ".join(f"set_config('{name}', '{STATEMENT_MILLISECONDS}', true)" for name in names)


def _answer(group: Sequence[_Waiting], failure: type[Exception] | None = None, why: str = "") -> None:
    """Wake everyone who waits, each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiting in group:
        if waiting.answer is not None:
            by_loop.setdefault(waiting.answer.get_loop(), []).append(waiting.answer)
    for loop, answers in by_loop.items():
        # In a loop that was closed nobody waits any more.
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
