"""Tables of `ukok release diff`."""

from typing import TYPE_CHECKING

from pipelines.cli.console import out, table_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.release.compare import Change, RelationChange, ReleaseDiff, Value

NAMES = 5  # of a list, which are as many as a page shows at first


def print_diff(found: "ReleaseDiff") -> None:
    """Print the parts of a difference, each as a table; of the lists the first items by name."""
    for title, changes in (
        ("counts", found.counts),
        ("parameters", found.parameters),
        ("figures", found.figures),
        ("checks", found.checks),
    ):
        _print_changes(title, changes, found)
    for relation in found.relations:
        _print_lists(relation)


def _print_changes(title: str, changes: "Sequence[Change]", found: "ReleaseDiff") -> None:
    from rich.table import Table
    from rich.text import Text

    if not changes:
        out.print(f"{title}: the same", markup=False)
        return
    table = Table(title, found.before, found.after)
    for change in changes:
        table.add_row(*(Text(text) for text in (change.name, _written(change.before), _written(change.after))))
    table_console().print(table)


def _print_lists(relation: "RelationChange") -> None:
    from rich.table import Table
    from rich.text import Text

    similarity = "" if relation.jaccard is None else f", Jaccard {relation.jaccard:.3f}"
    out.print(f"{relation.relation}: {relation.queries} queries{similarity}", markup=False)
    if not relation.lists:
        return
    table = Table("query", "before", "after")
    for change in relation.lists:
        names = ("\n".join(each[:NAMES]) or "nothing" for each in (change.before, change.after))
        table.add_row(*(Text(text) for text in (change.query, *names)), end_section=True)
    table_console().print(table)


def _written(value: "Value") -> str:
    if value is None:
        return ""
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
