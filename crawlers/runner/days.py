"""Which days a source can be asked for. A crawl sees the present, whichever days it reads."""

from datetime import date, datetime, timedelta

from crawlers.parsing import kst_day
from crawlers.registry import MALL
from crawlers.settings import CrawlSettings

PAST_DAYS = 7  # for which broadcasters still serve their schedule
COMING_DAYS = 10  # for which they publish it
FIRST, LAST = date(1970, 1, 1), date(2999, 12, 31)  # days that are no slip of the keyboard


def why_not_served(source: str, day: date, days: int, now: datetime, settings: CrawlSettings) -> str | None:
    """Return why a source does not serve the ``days`` days from ``day`` on; None if it does.

    The mall shows the prices of this moment only; schedules are served by day. A stand-in serves what its clock shows.
    """
    if not FIRST <= day <= LAST:
        return f"no source serves {day}: choose a date from {FIRST} to {LAST}"
    if settings.is_standin(source):
        return None
    today = kst_day(now)
    if source == MALL:
        if day == today:
            return None
        return f"{source} shows the prices of today ({today}) only, not those of {day}: leave out the date"
    first, last = today - timedelta(days=PAST_DAYS), today + timedelta(days=COMING_DAYS)
    end = day + timedelta(days=days - 1)
    if first <= day and end <= last:
        return None
    return (
        f"{source} serves its schedule from {first} to {last}, not from {day} to {end}: choose a date and a number of "
        "days within"
    )
