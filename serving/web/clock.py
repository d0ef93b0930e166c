"""Clock of the API, passed in so that tests can set it, and dates in Korea."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import PlainSerializer

from ukok.korea import KST

# Last instant with a date in Korea that Python can represent. Korea is ahead of UTC, so there is no first one.
LAST_INSTANT = datetime.max.replace(tzinfo=KST).astimezone(UTC)

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the current time as an aware UTC datetime."""
    return datetime.now(UTC)


def kst_day(instant: datetime) -> date:
    """Return the calendar day in Korea."""
    return instant.astimezone(KST).date()


def next_midnight(instant: datetime) -> datetime:
    """Return the end of the calendar day of ``instant`` in Korea."""
    return datetime.combine(kst_day(instant) + timedelta(days=1), datetime.min.time(), KST)


def _naive_kst(instant: datetime) -> str:
    return instant.astimezone(KST).replace(tzinfo=None).isoformat(timespec="seconds")


# The frontend reads datetimes without an offset as Korean time.
KstDateTime = Annotated[datetime, PlainSerializer(_naive_kst, return_type=str)]
