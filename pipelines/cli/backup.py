"""`ukok backup` and `ukok restore`: both databases, and what the artifact store must hold."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import out, table_console
from pipelines.cli.options import wall_clock

LISTED = 10  # keys of artifacts that are printed

Folder = Annotated[Path, typer.Argument(help="Folder of the backup.", file_okay=False)]


def backup(folder: Folder) -> None:
    """Write both databases into a new FOLDER, with the live release and an inventory of the artifacts.

    Each database is written as one moment saw it, whatever runs meanwhile. The rows do not depend on the engine: a
    backup of MariaDB can be restored into PostgreSQL. The artifacts stay in their store, which is backed up by its own
    means, such as the versioning of a bucket. FOLDER holds personal data and password hashes.

    Example: `ukok backup /backups/2025-08-06`.
    """
    from pipelines import tasks

    out.print(str(tasks.backup(folder, wall_clock())), markup=False)


def restore(folder: Folder) -> None:
    """Restore a backup into empty databases: those that UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL name.

    Refused if a file is damaged, if a table has rows, or if the backup is of another schema. The live release is named
    again if the artifact store names none; artifacts that the backup lists and the store lacks are listed.
    """
    from rich.table import Table

    from pipelines import tasks

    restored = tasks.restore(folder)
    table = Table("table", "rows", box=None, pad_edge=False)
    for name, rows in restored.rows.items():
        table.add_row(name, f"{rows:,}")
    table_console().print(table)
    for kind, keys in (("missing", restored.missing), ("of another size", restored.changed)):
        if keys:
            out.print(f"{len(keys):,} artifacts of the backup are {kind} in the store, e.g.:")
            for key in keys[:LISTED]:
                out.print(f"  {key}", markup=False)
    if restored.live:
        out.print(f"{restored.live} {'is live' if restored.is_live else 'was live, and is not now'}", markup=False)
