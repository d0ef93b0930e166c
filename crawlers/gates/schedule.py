"""Gate of a channel's day: shows still to come that vanish all at once, compared with the same day as last known."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from crawlers.gates.fields import lost_fields
from crawlers.gates.history import Row
from ukok.korea import KST

MIN_GAP = 3  # shows in a row with nothing in their place: fewer may be cancelled
MIN_SHORT_GAP = 2  # or fewer, at the end of the day or if they are a great share of its shows to come
MIN_LENGTH_AT_END = timedelta(hours=2)
MIN_SHARE_OF_SHORT_GAP = 0.4
MIN_GONE = 5  # fewer products of shows may vanish at once
MAX_GONE = 0.5  # share of the products of the day's shows to come that may vanish
MAX_SHRUNK = 0.6  # a day that lists at least that share of what it listed has a new programme and lacks nothing


class Slot(NamedTuple):
    """Time of a show."""

    start: datetime
    end: datetime


def lost_shows(known: Sequence[Row], listed: Sequence[Row], same_channel: Collection[int], at: datetime) -> list[str]:
    """Return why a day looks broken, compared with its rows as ``known``.

    Shows that began before ``at`` do not count, since a page may drop them. ``same_channel``: the products that the
    channel lists on any day, so that a show that moved to another day is not missing.
    """
    future = [row for row in known if row.start is not None and row.start > at]
    left = [row for row in listed if row.start is not None and row.start > at]
    gone = sum(row.product_id not in same_channel for row in future)
    reasons = _gap(future, listed)
    if not reasons and gone >= MIN_GONE and gone > MAX_GONE * len(future) and len(left) < MAX_SHRUNK * len(future):
        reasons.append(f"{gone} of the {len(future)} products of shows to come are no longer listed")
    before = {(row.start, row.product_id): row for row in known}
    pairs = [(before[key], row) for row in listed if (key := (row.start, row.product_id)) in before]
    return [*reasons, *lost_fields(pairs, "shows")]


def _gap(future: Sequence[Row], listed: Sequence[Row]) -> list[str]:
    """Return whether several shows in a row have vanished with nothing in their place."""
    slots = _slots(future)
    taken = _slots(listed)
    gap = _longest([slot if _is_vacant(slot, taken) else None for slot in slots])
    at_end = bool(gap) and gap[-1] == slots[-1] and gap[-1].end - gap[0].start >= MIN_LENGTH_AT_END
    enough = MIN_SHORT_GAP if at_end or len(gap) >= MIN_SHARE_OF_SHORT_GAP * len(slots) else MIN_GAP
    if len(gap) < enough:
        return []
    times = f"{_clock(gap[0].start)} to {_clock(gap[-1].end)}"
    return [f"nothing is listed from {times}, where {len(gap)} of {len(slots)} shows were"]


def _is_vacant(slot: Slot, taken: Sequence[Slot]) -> bool:
    return not any(other.start < slot.end and other.end > slot.start for other in taken)


def _longest(slots: Sequence[Slot | None]) -> list[Slot]:
    """Return the longest stretch without None, of equally long ones the last."""
    stretches: list[list[Slot]] = [[]]
    for slot in slots:
        if slot is None:
            stretches.append([])
        else:
            stretches[-1].append(slot)
    return max(reversed(stretches), key=len)


def _slots(rows: Sequence[Row]) -> list[Slot]:
    ends: dict[datetime, datetime] = {}
    for row in rows:
        if row.start is not None and row.end is not None:
            ends[row.start] = max(row.end, ends.get(row.start, row.end))
    return [Slot(start, end) for start, end in sorted(ends.items())]


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(KST):%H:%M}"
