"""The command `ukok` with all its groups, and its exit codes."""

import sys
from collections.abc import Callable

import typer

from pipelines.cli import crawl, db, load, logs, release, train
from pipelines.cli.console import make_stdout_safe
from pipelines.cli.errors import print_reason, reason_of
from pipelines.cli.logging import configure_logging
from pipelines.cli.run import run
from pipelines.cli.serve import serve
from pipelines.cli.standin import standin
from pipelines.cli.status import status

app = typer.Typer(
    name="ukok",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="The data platform behind U+콕's recommendations: crawl, load, train, release, serve. "
    "Settings come from UKOK_* variables or a file .env; with none, all runs on an embedded PostgreSQL under var/. "
    "Exit codes: 0 done, 1 failed with the reason in one line, 2 wrong usage.",
)
for command in (run, status, serve, load.load, load.link, standin):
    app.command()(command)
for name, group in {
    "db": db.app,
    "crawl": crawl.app,
    "recipes": load.recipes,
    "logs": logs.app,
    "train": train.app,
    "release": release.app,
}.items():
    app.add_typer(group, name=name)


def main(configure: Callable[[], None] = configure_logging) -> None:
    """Run a command. An error that a person can act on ends in one line and exit code 1; a bug in a traceback."""
    make_stdout_safe()
    configure()
    try:
        app()
    except Exception as error:
        reason = reason_of(error)
        if reason is None:
            raise
        print_reason(reason)
        sys.exit(1)
