"""`ukok maintenance`: delete what is kept no longer."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import out, table_console
from pipelines.cli.options import wall_clock

if TYPE_CHECKING:
    from pipelines.report import Report

LISTED = 10  # names of a kind that are printed

Apply = Annotated[bool, typer.Option("--apply", help="Delete what is listed; without it, nothing is changed.")]


def maintenance(apply: Apply = False) -> None:
    """List what is kept no longer, and delete it with --apply. Safe to be killed and to run again.

    Releases and models beyond UKOK_KEEP_RELEASES that are neither live, canary nor for rollback, datasets that none of
    those came from; raw files beyond UKOK_KEEP_RAW_DAYS that are loaded; reports, saved pages, rejects, step_run and
    log files beyond UKOK_KEEP_REPORT_DAYS; ingested events in user_event beyond UKOK_KEEP_EVENT_DAYS; uploads that did
    not finish. Runs of steps whose process is gone are set to killed.
    """
    from pipelines import tasks

    print_reports(tasks.maintenance(wall_clock(), dry_run=not apply), apply=apply)


def print_reports(reports: "list[Report]", *, apply: bool) -> None:
    """Print a line for each kind, then the names of what is or would be deleted."""
    from rich.table import Table

    table = Table("kind", "there are", "deleted" if apply else "to delete", "MB", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for report in reports:
        kind = report.step.removeprefix("maintenance_")
        table.add_row(kind, f"{report.read:,}", f"{report.written:,}", f"{report.details.get('bytes', 0) / 1e6:,.1f}")
    table_console().print(table)
    for report in reports:
        names = report.details.get("names", [])
        for name in names[:LISTED]:
            out.print(f"  {name}", markup=False, soft_wrap=True)
        if len(names) > LISTED:
            out.print(f"  … and more {report.step.removeprefix('maintenance_')}")
        for note, value in report.details.items():
            if note not in {"bytes", "names"}:
                out.print(f"  {report.step.removeprefix('maintenance_')}: {note}: {value}", markup=False)
    if not apply and any(report.written for report in reports):
        out.print("nothing was changed: --apply deletes it")
