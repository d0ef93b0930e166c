"""`ukok load`, `ukok link` and `ukok recipes`: from the raw zone into both databases."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import out
from pipelines.cli.options import Source, wall_clock

recipes = typer.Typer(no_args_is_help=True, help="Import the recipes of the open data set.")


def load(
    source: Source,
    accept: Annotated[bool, typer.Option("--accept", help="Load what is held back. Look at show-fault first.")] = False,
) -> None:
    """Load the crawls of a source that are not loaded yet into the service database and the warehouse.

    Loading a file twice changes nothing. A category or a channel's day that lost much of what it listed is held back,
    and the rest of its file loaded; a file that violates the contract of its source, or of which more than 5 % of the
    items are rejected, is held back as a whole. Then this command fails with the reason. Look at `ukok crawl
    show-fault`, table step_run and rejects/ in the artifacts, then crawl again or use --accept.

    Example: `ukok load kok`.
    """
    from pipelines import tasks

    for report in tasks.load(source, accept=accept, now=wall_clock()):
        out.print(str(report))


def link() -> None:
    """Link the products of all sources: listings of the same item share an item id, in both tables product_item.

    Titles are compared by their words, brand and total amount; prices that are far apart count against a link. Table
    step_run holds the number of items. Running it again writes nothing.
    """
    from pipelines import tasks

    out.print(str(tasks.link()))


@recipes.command("import")
def import_recipes(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TB_RECIPE_SEARCH*.csv, UTF-8 or CP949.")],
) -> None:
    """Import the official recipe CSV: into the raw zone without its authors, from there into the service database.

    Rows without an id or a title are rejected and kept under rejects/import_recipes/ with the line number. Product
    titles are then resolved again with the new ingredients. Importing twice changes nothing.
    """
    from pipelines import tasks

    for report in tasks.recipes(file, wall_clock()):
        out.print(str(report))
