"""The one thread that writes events: many requests share a commit, and none is answered before it."""

import asyncio
import io
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg2
import structlog
from psycopg2 import errorcodes
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from serving.common.clock import Clock
from serving.common.errors import Unavailable, log_reason, summary
from serving.common.metrics import Metrics

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
_LOOK: Final = "SELECT event_id FROM user_event LIMIT 1"
_NULL: Final = "\\N"
# https://www.postgresql.org/docs/current/sql-copy.html, text format.
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


# Seeded by the system, so that no two processes make the same ids.
_numbers: Final = random.Random(os.urandom(32))  # noqa: S311 - ids are no secrets


class EventRefused(ValueError):
    """The warehouse cannot hold this event as it is."""


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
        self.problem: str | None = "starting"
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

        Raises :class:`Unavailable` when that cannot be told and :class:`EventRefused` when they cannot be stored.
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

    def note(self, event: Event) -> None:
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
            group = self._next_group()
            if group:
                self._commit(group)
            elif self._stopping:
                return
            else:
                self._look()

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
        except (SQLAlchemyError, ValueError) as error:
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

    def _insert(self, events: Sequence[Event]) -> None:
        distinct: dict[str, Event] = {}
        for event in events:
            distinct.setdefault(event.event_id, event)
        with _transaction(self._engine) as (connection, cursor):
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
            connection.commit()
        self._metrics.events.inc(len(distinct))

    def _copy(self, cursor: Any, statement: str, events: Sequence[Event]) -> None:  # noqa: ANN401 - of psycopg2
        cursor.execute(_bounds())
        received_at = self._clock().isoformat()
        lines = "\n".join([event.line(received_at) for event in events]).encode()
        cursor.copy_expert(statement, io.BytesIO(lines), len(lines) + 1)

    def _look(self) -> None:
        try:
            with _transaction(self._engine) as (_, cursor):
                cursor.execute(_bounds())
                cursor.execute(_LOOK)
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

    def _drop_notes(self, group: Sequence[_Waiting]) -> None:
        self._metrics.notes_dropped.inc(sum(len(waiting.events) for waiting in group if waiting.answer is None))


@contextmanager
def _transaction(engine: Engine) -> Iterator[tuple[Any, Any]]:
    """A connection and a cursor of psycopg2, which alone can COPY; rolled back unless committed.

    Its errors are raised as SQLAlchemy's, as everywhere else.
    """
    try:
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            yield connection, cursor
    except psycopg2.Error as error:
        raise DBAPIError.instance("COPY user_event", None, error, psycopg2.Error, hide_parameters=True) from error


def _is_refusal(error: Exception) -> bool:
    """Whether the values are to blame: the database said so, or they could not even be sent to it."""
    return isinstance(error, DataError) or not isinstance(error, DBAPIError | PoolTimeoutError)


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
        loop.call_soon_threadsafe(_resolve, answers, failure, why)


def _resolve(answers: Sequence["asyncio.Future[None]"], failure: type[Exception] | None, why: str) -> None:
    for answer in answers:
        if answer.done():
            continue
        if failure is None:
            answer.set_result(None)
        else:
            answer.set_exception(failure(why))
