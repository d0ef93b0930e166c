"""Arguments and options that several commands take, and how their values are read."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

import typer

from artifacts.names import check_version
from crawlers.registry import sources
from crawlers.settings import CrawlSettings
from ukok.korea import KST

DAYS = 11  # of schedule, which is as far ahead as the broadcasters publish


def _check_source(source: str) -> str:
    if source not in sources():
        raise typer.BadParameter(f"unknown source {source!r}: one of {', '.join(sources())}")
    return source


Source = Annotated[
    str, typer.Argument(metavar="SOURCE", callback=_check_source, help=f"One of {', '.join(sources())}.")
]
Day = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="Day in Korea, e.g. 2025-08-06.", show_default="today"),
]
Days = Annotated[int, typer.Option(min=1, max=31, help="Number of days of schedule to read, from that day on.")]


def _check_version(version: str | None) -> str | None:
    if version is not None and not version.strip():
        raise typer.BadParameter("is empty: name a version, or leave it out for the newest")
    try:
        return version and check_version(version)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


GivenVersion = Annotated[
    str, typer.Argument(callback=_check_version, help="A version that `ukok release list` shows.", show_default=False)
]
Version = Annotated[
    str | None,
    typer.Argument(
        callback=_check_version, help="A version that `ukok release list` shows.", show_default="the newest"
    ),
]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port of the API.")]


def wall_clock() -> datetime:
    """Return the present instant in Korea."""
    return datetime.now(KST)


def day_of(chosen: datetime | None) -> date:
    """Return the chosen day, by default today in Korea."""
    return chosen.date() if chosen else wall_clock().date()


def instant_of(day: date, sources: Iterable[str]) -> datetime:
    """Return the instant that a crawl of ``day`` counts as: the present.

    The clock of a stand-in may show any day: if all ``sources`` are stand-ins, it is the time of now on that day.
    """
    settings = CrawlSettings()
    now = wall_clock()
    return datetime.combine(day, now.timetz()) if all(map(settings.is_standin, sources)) else now


def parse_instant(option: str, text: str | None) -> datetime | None:
    """Parse an ISO 8601 instant with an offset; raise a usage error that names the option."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an ISO 8601 time", param_hint=option) from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks an offset, e.g. {text}+09:00", param_hint=option)
    return instant
