"""Limits of attempts, counted in the service database, so that all processes and machines count together.

A limit allows some attempts at once, and then one after each interval (the generic cell rate algorithm): one number a
row, changed by one statement. An attempt that is refused writes nothing, so a flood of them costs a look-up each.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, bindparam, case, delete, func, select, update
from sqlalchemy.dialects import mysql, postgresql

from serving.web.errors import too_many
from sql.clock import database_now
from sql.service.attempts import AttemptLimit

# After so many attempts, a process deletes rows that are free again: more than it may have added.
CLEANED_EVERY: Final = 100
CLEANED_ROWS: Final = 500
LIMITS: Final = cast(Table, AttemptLimit.__table__)
# The clock of the database: the processes that count together may have clocks that differ.
DatabaseClock = Callable[[Connection], datetime]
_key, _free_at = LIMITS.c.limit_sha256, LIMITS.c.free_at


@dataclass(frozen=True)
class Limit:
    """At most ``at_once`` attempts at once, then one after each ``interval``."""

    name: str
    at_once: int
    interval: timedelta

    @property
    def step(self) -> int:
        """Milliseconds after which an attempt is available again."""
        return round(self.interval / timedelta(milliseconds=1))

    def wait(self, free_at: int, now: int) -> int:
        """Milliseconds until an attempt is allowed, 0 or less if it is now.

        No row is so far ahead of the clock, unless that of the database was set back: counting corrects it.
        """
        return free_at + self.step - now - self.at_once * self.step if free_at <= self.latest(now) else 0

    def latest(self, now: int) -> int:
        """Latest ``free_at`` that is written, one interval more than is allowed."""
        return now + (self.at_once + 1) * self.step


class Counted(NamedTuple):
    """A limit and whom it counts, as the key of a row."""

    limit: Limit
    key: str


class AttemptLimits:
    """Counts attempts of whoever a limit is for."""

    def __init__(self, engine: Engine, secret: str, clock: DatabaseClock = database_now) -> None:
        self.clock = clock
        self._engine = engine
        self._secret = secret.encode()
        self._attempts = count()

    def counted(self, limit: Limit, *who: str) -> Counted:
        """Return what a limit counts; only a keyed hash is stored, as it may be an address."""
        return Counted(limit, self.digest(limit.name, *who))

    def digest(self, *parts: str) -> str:
        """Return a keyed hash of something that may not be stored."""
        return hmac.new(self._secret, "\n".join(("attempts", *parts)).encode(), hashlib.sha256).hexdigest()

    def begin(self, *counted: Counted) -> None:
        """Count an attempt before it is made, so that concurrent ones are limited too; 429 if it is one too many."""
        with self._engine.connect() as conn:
            now = _milliseconds(self.clock(conn))
            query = select(_key, _free_at).where(_key.in_([each.key for each in counted]))
            before = dict(conn.execute(query).all())
        _refuse_if(max(each.limit.wait(before.get(each.key, 0), now) for each in counted))
        with self._engine.begin() as conn:
            after = dict(conn.execute(_hit(conn.dialect.name, counted, now)).all())
        self._clean(now)
        # Concurrent attempts may have come between.
        beyond = (each.limit for each in counted if after[each.key] > each.limit.latest(now) - each.limit.step)
        _refuse_if(max((2 * limit.step for limit in beyond), default=0))

    def succeed(self, conn: Connection, cleared: Counted, *uncounted: Counted) -> None:
        """Forget the attempts that ``cleared`` counts, and take a right one off the others."""
        now = _milliseconds(self.clock(conn))
        # In the order in which they are counted, so that no two transactions wait for each other.
        for each in _in_order((cleared, *uncounted)):
            free_at = now if each == cleared else _free_at - each.limit.step
            conn.execute(update(LIMITS).where(_key == each.key).values(free_at=free_at))

    def _clean(self, now: int) -> None:
        """Delete rows that are free again, from time to time."""
        if next(self._attempts) % CLEANED_EVERY:
            return
        with self._engine.begin() as conn:
            free = select(_key).where(now >= _free_at).limit(CLEANED_ROWS).with_for_update(skip_locked=True)
            keys = [{"key": key} for key in conn.scalars(free)]
            # One by one: for a list of keys MariaDB may read the whole table, and wait for rows that others lock.
            if keys:
                conn.execute(delete(LIMITS).where(_key == bindparam("key")), keys)


def _hit(dialect: str, counted: Sequence[Counted], now: int) -> Any:  # noqa: ANN401 - an insert of either dialect
    """Insert or move the rows of an attempt, and return them as they are then."""
    rows = [{"limit_sha256": each.key, "free_at": now + each.limit.step} for each in _in_order(counted)]
    latest = case({each.key: each.limit.latest(now) for each in counted}, value=_key)
    if dialect == "postgresql":
        insert = postgresql.insert(LIMITS).values(rows)
        moved = func.least(func.greatest(_free_at, now) + insert.excluded.free_at - now, latest)
        return insert.on_conflict_do_update(index_elements=[_key], set_={"free_at": moved}).returning(_key, _free_at)
    stored = mysql.insert(LIMITS).values(rows)
    moved = func.least(func.greatest(_free_at, now) + stored.inserted.free_at - now, latest)
    return stored.on_duplicate_key_update(free_at=moved).returning(_key, _free_at)


def _in_order(counted: Sequence[Counted]) -> list[Counted]:
    """Sort rows as every transaction locks them."""
    return sorted(counted, key=lambda each: each.key)


def _refuse_if(wait: int) -> None:
    if wait > 0:
        raise too_many("attempts", wait / 1000)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
