"""Errors of pipeline steps, and which of them trying again does not mend."""

from ukok.errors import PermanentError


class StepError(RuntimeError):
    """A step has failed; the message says in one line why, and what to do. Another try may succeed."""


class PipelineError(PermanentError, StepError):
    """A step refuses to go on."""


class CanaryRunning(PipelineError):
    """A canary runs, so no other release becomes live; the message names it."""


class PartlyDone(StepError):
    """A step did only a part of its work, and stored it: it has failed, but the steps that need it can go on."""


def is_permanent(error: BaseException) -> bool:
    """Tell whether a step that failed with ``error`` fails in the same way when it is run again at once.

    Permanent are refusals, wrong settings and arguments, missing files and missing tables. Whatever else there is may
    pass: a database, a store or a source that is away, a lock that is held, a disk that is full.
    """
    from sqlalchemy.exc import ProgrammingError

    from sql.outages import DENIED, outage_of

    # ValueError includes invalid settings and files in a wrong format; ProgrammingError is a table that is missing.
    return outage_of(error) is DENIED or isinstance(
        error, PermanentError | ValueError | FileNotFoundError | ProgrammingError
    )


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line; of a database, which one it was and what to do."""
    from sqlalchemy.exc import DBAPIError

    from sql import outages

    return outages.one_line(error) if isinstance(error, DBAPIError) else " ".join(str(error).split())
