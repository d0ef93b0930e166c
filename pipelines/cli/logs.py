"""`ukok logs`: user events from the API into the warehouse."""

from datetime import datetime
from typing import Annotated

import typer

from pipelines.cli.console import out
from pipelines.cli.options import parse_instant, wall_clock

app = typer.Typer(no_args_is_help=True, help="Ingest user events, check them, and erase those of deleted accounts.")

INSTANT = "ISO 8601 with offset."


@app.command()
def ingest(
    start: Annotated[str | None, typer.Option(help=f"Start, included: {INSTANT}", show_default="what is new")] = None,
    end: Annotated[
        str | None, typer.Option(help=f"End, excluded: {INSTANT} Needs a start.", show_default="now")
    ] = None,
) -> None:
    """Move events from user_event into fct_user_event, invalid ones with a reason into rejected_event.

    Without options these are the events that were committed since the last run, also those that a slow clock stamped
    earlier. With a start they are all events that the API received in [start, end), for instance after a repair. Each
    event is stored once, so running it again changes nothing. The next run continues one that was killed.

    At the end the events of the days concerned, of today, of yesterday and of one earlier day are counted. The command
    fails if an event that landed is neither a fact nor rejected, or has waited for an hour for an open transaction.

    Example: `ukok logs ingest --start 2025-08-06T00:00+09:00 --end 2025-08-07T00:00+09:00`.
    """
    from pipelines import tasks

    first, last = _interval(start, end)
    if last and not first:
        raise typer.BadParameter(f"{end!r} needs a --start", param_hint="--end")
    out.print(str(tasks.logs(first, last, wall_clock())))


@app.command()
def replay(
    reason: Annotated[
        str | None, typer.Option(help="Only events rejected for this reason.", show_default="every reason")
    ] = None,
    start: Annotated[str | None, typer.Option(help=f"Received from then on: {INSTANT}")] = None,
    end: Annotated[str | None, typer.Option(help=f"Received before: {INSTANT}")] = None,
) -> None:
    """Try the events in rejected_event again, after a correction of the rules, and move valid ones into fct_user_event.

    Prints how many were tried (read), moved (written) and are still invalid (unchanged). Those stay in rejected_event.
    Running it again changes nothing.

    Example: `ukok logs replay --reason "occurred_at is in the future"`.
    """
    from pipelines import tasks

    first, last = _interval(start, end)
    out.print(str(tasks.replay_logs(reason, first, last)))


@app.command()
def reconcile() -> None:
    """Check for every day whether each event that landed is a fact or rejected, and each of these has landed.

    Every `ukok logs ingest` checks a few days; this command checks all from which maintenance has not deleted landed
    events. It fails with counts and an example if events are missing. Nothing is changed.
    """
    from pipelines import tasks

    report = tasks.reconcile_logs()
    out.print(f"events of {report.details.get('reconciled_days', 0)} days agree")


@app.command()
def erase() -> None:
    """Remove users who deleted their accounts from all events, and whatever else is left of them.

    The API does this at once for what is stored at that moment. This command covers events that arrived later, or while
    a database was unreachable; run it before `ukok logs ingest`. Running it again changes nothing.
    """
    from pipelines import tasks

    out.print(str(tasks.erase(wall_clock())))


def _interval(start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    first, last = parse_instant("--start", start), parse_instant("--end", end)
    if first and last and first >= last:
        raise typer.BadParameter(f"{end!r} is not after {start!r}", param_hint="--end")
    return first, last
