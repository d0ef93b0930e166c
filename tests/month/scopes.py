"""Parts of the sources that are crawled as a whole, and faults that disturb them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from crawlers.items import CATEGORIES
from crawlers.standin.faults import Fault
from ukok.korea import KST

CHANNELS = {"hnsmall": (1,), "hmall": (2, 3), "nsmall": (4, 5)}
SOURCES = ("kok", *CHANNELS)
DAYS = 11  # that a crawl reads, from its own on


class Scope(NamedTuple):
    """A category of the mall, or a channel's day: ``part`` is the category or the channel."""

    source: str
    part: str
    day: date | None = None


def days_read(instant: datetime) -> list[date]:
    """Return the days whose shows a crawl reads."""
    today = instant.astimezone(KST).date()
    return [today + timedelta(days=ahead) for ahead in range(DAYS)]


def scopes_of(source: str, instant: datetime) -> list[Scope]:
    """Return the scopes that a crawl reads."""
    if source == "kok":
        return [Scope(source, code) for code in CATEGORIES]
    return [Scope(source, str(channel), day) for channel in CHANNELS[source] for day in days_read(instant)]


@dataclass(frozen=True)
class Injection:
    """A fault in what one source sends during one run, and the scopes that it disturbs.

    ``hides_rows``: the pages look sound and lack rows. ``hides_prices``: shows are listed without prices.
    ``hides_pages``: product pages cannot be read.
    """

    kind: str
    source: str
    scopes: frozenset[Scope]
    rules: tuple[Fault, ...]
    hides_rows: bool = False
    hides_prices: bool = False
    hides_pages: bool = False
