"""The one clock that serving reads, passed in so that a test can set it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import PlainSerializer

KST = ZoneInfo("Asia/Seoul")
# Nothing later has a date in Korea that Python can tell. There is no first instant: Korea is ahead of UTC.
LAST_INSTANT = datetime.max.replace(tzinfo=KST).astimezone(UTC)

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, as an aware UTC datetime."""
    return datetime.now(UTC)


def kst_day(instant: datetime) -> date:
    """Calendar day in Korea."""
    return instant.astimezone(KST).date()


def next_midnight(instant: datetime) -> datetime:
    """When the calendar day of ``instant`` ends in Korea."""
    return datetime.combine(kst_day(instant) + timedelta(days=1), datetime.min.time(), KST)


def _naive_kst(instant: datetime) -> str:
    return instant.astimezone(KST).replace(tzinfo=None).isoformat(timespec="seconds")


# The frontend reads datetimes without an offset as the time in Korea.
KstDateTime = Annotated[datetime, PlainSerializer(_naive_kst, return_type=str)]
