"""How many events a visitor may send: of a user, of an anonymous session and of an address.

Each process counts for itself, in memory: events are many, and a bound that is exact to a factor of the number of
processes keeps one visitor from filling the warehouse. Of too many visitors, the first are forgotten.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache
from starlette.exceptions import HTTPException

from serving.runtime.event_writer import Event

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
    """Counts the events of each visitor; used by the event loop alone."""

    def __init__(self, user: Quota = USER, session: Quota = SESSION, address: Quota = ADDRESS) -> None:
        self._users = _Counts(user)
        self._sessions = _Counts(session)
        self._addresses = _Counts(address)

    def count(self, events: Sequence[Event], address: str, now: float) -> None:
        """Count events that a request brings, all or none; 429 if they are too many. They have one author."""
        user_id = events[0].user_id
        if user_id is not None:
            counted = [(self._users, str(user_id), len(events))]
        else:
            sessions = Counter(event.session_id or "" for event in events)
            counted = [(self._sessions, session, count) for session, count in sessions.items()]
            counted.append((self._addresses, address, len(events)))
        wait = max(counts.wait(who, count, now) for counts, who, count in counted)
        if wait > 0:
            seconds = math.ceil(wait)
            detail = f"too many events: send these again in {seconds} seconds"
            raise HTTPException(429, detail, headers={"Retry-After": str(seconds)})
        for counts, who, count in counted:
            counts.add(who, count, now)


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
