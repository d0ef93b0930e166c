"""How many events a visitor may send: of a user, of an anonymous session and of an address.

Each process counts for itself, in memory: events are many, and a bound that is exact to a factor of the number of
processes keeps one visitor from filling the warehouse. Of too many visitors, the first are forgotten.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from serving.runtime.event_writer import Event
from serving.web.errors import Unavailable, too_many

MOST_COUNTED: Final = 50_000


@dataclass(frozen=True)
class Quota:
    """So many events at once, and then so many a second."""

    at_once: int
    per_second: float


# A batch has up to 1,000.
USER: Final = Quota(5_000, 50)
SESSION: Final = Quota(1_000, 5)
# Of all anonymous visitors of an address, which a company or the subscribers of a mobile network share.
ADDRESS: Final = Quota(10_000, 100)


class EventQuotas:
    """Counts the events of each visitor; used by the event loop alone.

    By a clock that is never set back: until a wall clock is where it was, nobody could send anything.
    """

    def __init__(
        self,
        user: Quota = USER,
        session: Quota = SESSION,
        address: Quota = ADDRESS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._users = _Counts(user)
        self._sessions = _Counts(session)
        self._addresses = _Counts(address)

    @contextmanager
    def counted(self, events: Sequence[Event], address: str) -> Iterator[None]:
        """Count events while they are stored, all or none; 429 if they are too many. They have one author.

        Those that :class:`Unavailable` refuses are not counted: the client has to send them again.
        """
        counted = self._counted(events, address)
        now = self._monotonic()
        wait = max(counts.wait(who, count, now) for counts, who, count in counted)
        if wait > 0:
            raise too_many("events", wait)
        for counts, who, count in counted:
            counts.add(who, count, now)
        try:
            yield
        except Unavailable:
            for counts, who, count in counted:
                counts.take_off(who, count)
            raise

    def _counted(self, events: Sequence[Event], address: str) -> list[tuple["_Counts", str, int]]:
        """Return what the events count for: the user, or the anonymous sessions and the address."""
        user_id = events[0].user_id
        if user_id is not None:
            return [(self._users, str(user_id), len(events))]
        sessions = Counter(event.session_id or "" for event in events)
        counted = [(self._sessions, session, count) for session, count in sessions.items()]
        return [*counted, (self._addresses, address, len(events))]


class _Counts:
    """When the quota of each visitor is whole again, by the generic cell rate algorithm."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._whole_at: FIFOCache[str, float] = FIFOCache(MOST_COUNTED)

    def wait(self, who: str, count: int, now: float) -> float:
        """Seconds until ``count`` events are allowed, 0 or less if they are now."""
        whole_at = max(self._whole_at.get(who, now), now)
        return whole_at + (count - self._quota.at_once) / self._quota.per_second - now

    def add(self, who: str, count: int, now: float) -> None:
        whole_at = max(self._whole_at.get(who, now), now)
        self._whole_at[who] = whole_at + count / self._quota.per_second

    def take_off(self, who: str, count: int) -> None:
        """Count ``count`` events less, unless the visitor was forgotten since."""
        if who in self._whole_at:
            self._whole_at[who] -= count / self._quota.per_second
