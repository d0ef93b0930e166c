"""`ukok logs`: user events from the API into the warehouse."""

from typing import Annotated

import typer

from pipelines.cli.console import out
from pipelines.cli.options import parse_instant, wall_clock

app = typer.Typer(no_args_is_help=True, help="Ingest user events, and erase those of deleted accounts.")


@app.command()
def ingest(
    start: Annotated[
        str | None, typer.Option(help="Start, included: ISO 8601 with offset.", show_default="end of the last run")
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="End, excluded: ISO 8601 with offset.", show_default="now less the grace period")
    ] = None,
) -> None:
    """Move the events that the API received in [start, end) from user_event into fct_user_event.

    Events younger than UKOK_INGEST_GRACE_SECONDS are left for the next run. Invalid ones go to rejected_event with a
    reason. Running it again changes nothing.

    Example: `ukok logs ingest --start 2025-08-06T00:00+09:00 --end 2025-08-07T00:00+09:00`.
    """
    from pipelines import tasks

    first, last = parse_instant("--start", start), parse_instant("--end", end)
    if first and last and first >= last:
        raise typer.BadParameter(f"{end!r} is not after {start!r}", param_hint="--end")
    out.print(str(tasks.logs(first, last, wall_clock())))


@app.command()
def erase() -> None:
    """Remove users who deleted their accounts from all events, and whatever else is left of them.

    The API does this at once for what is stored at that moment. This command covers events that arrived later, or while
    a database was unreachable; run it before `ukok logs ingest`. Running it again changes nothing.
    """
    from pipelines import tasks

    out.print(str(tasks.erase(wall_clock())))
