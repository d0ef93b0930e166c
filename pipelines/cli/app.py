"""The command `ukok` with all its groups."""

from typing import Annotated

import typer

from pipelines.cli import crawl, db, load, logs, release, titles, train
from pipelines.cli.backup import backup, restore
from pipelines.cli.lineage import lineage
from pipelines.cli.maintenance import maintenance
from pipelines.cli.run import run
from pipelines.cli.serve import serve
from pipelines.cli.standin import standin
from pipelines.cli.status import status
from ukok import __version__

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


def _print_version(wanted: bool) -> None:
    if wanted:
        from pipelines.code_version import code_version

        typer.echo(f"ukok {__version__} ({code_version()})")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print version and commit.")
    ] = False,
) -> None:
    """Options of `ukok` itself."""


for command in (run, status, lineage, serve, load.load, load.link, maintenance, backup, restore, standin):
    app.command()(command)
for name, group in {
    "db": db.app,
    "crawl": crawl.app,
    "recipes": load.recipes,
    "logs": logs.app,
    "titles": titles.app,
    "train": train.app,
    "release": release.app,
}.items():
    app.add_typer(group, name=name)
