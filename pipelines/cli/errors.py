"""Errors in one line, without a traceback."""

from collections.abc import Iterator
from typing import NoReturn

import typer

from pipelines.cli.console import err


def reason_of(error: Exception) -> str | None:
    """Return the reason in one line if a person can act on the error, None if it is a bug."""
    from pydantic import ValidationError
    from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

    from artifacts.errors import StoreError
    from crawlers.runner.crawl import CrawlFailed
    from pipelines.errors import StepError
    from sql.errors import DatabaseUnavailable
    from sql.outages import one_line
    from ukok.settings import Settings

    if isinstance(error, ValidationError):  # a ValueError too
        if error.title not in {settings.__name__ for settings in _subclasses(Settings)}:
            return None
        names = [".".join(map(str, entry["loc"])) for entry in error.errors(include_url=False, include_input=False)]
        return f"setting UKOK_{', UKOK_'.join(name.upper() for name in names)}: {error.errors()[0]['msg']}"
    if isinstance(error, OperationalError | InterfaceError | ProgrammingError):
        return one_line(error)
    # The message of our own errors says what to do; of the built-in ones, only value and system errors do.
    if isinstance(error, StoreError | CrawlFailed | StepError | DatabaseUnavailable | OSError | ValueError):
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _subclasses(cls: type[object]) -> Iterator[type[object]]:
    """Yield the subclasses of a class, those of subclasses included."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def print_reason(reason: str) -> None:
    """Print why a command failed."""
    err.print(f"ukok: {reason}", markup=False)


def fail(reason: str) -> NoReturn:
    """Print why the command failed and end it with exit code 1."""
    print_reason(reason)
    raise typer.Exit(1)
