"""`ukok status`: the state of the system at a glance."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import print_json, table_console
from pipelines.cli.options import wall_clock

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from pipelines.status.schemas import SystemStatus

STYLES = {
    "ok": "green",
    "done": "green",
    "running": "yellow",
    "empty": "yellow",
    "incomplete": "yellow",
    "stopped": "yellow",
    "killed": "yellow",
}
WIDE = 100  # columns from which on reasons have room in the tables; below they follow as lines
LITTLE_SPACE = 1e9  # bytes; a disk with fewer is shown as full
MAX_FILES = 10  # files that are not loaded yet and are listed


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON document instead.")] = False,
) -> None:
    """Show freshness, row counts, the last run of every step, files not loaded yet, the live release, a canary and free
    space.

    Reads the databases and the artifacts, and starts nothing. Exit code 1 if one of them is configured, but unreachable
    or unreadable.
    """
    from pipelines.status.read import read_status

    found = read_status(wall_clock())
    if as_json:
        print_json(found)
    else:
        console = table_console()
        for part in _parts(found, wide=console.width >= WIDE):
            console.print(part)
    if not found.reachable:
        raise typer.Exit(1)


def _parts(found: "SystemStatus", *, wide: bool) -> Iterator["RenderableType"]:
    yield _components(found)
    yield _freshness(found)
    if found.unloaded:
        yield from _unloaded(found, wide=wide)
    yield _rows(found)
    yield _release(found)
    if found.canary or found.canary_problem:
        yield _canary(found)
    yield from _steps(found, wide=wide)


def _components(found: "SystemStatus") -> "Table":
    table = _table("System", "", "state", "")
    for component in found.components:
        table.add_row(component.name, _styled(component.state), _plain(component.detail))
    for disk in found.disks:
        state = "full" if disk.free < LITTLE_SPACE else "ok"
        text = f"{disk.free / 1e9:,.1f} GB free of {disk.total / 1e9:,.1f} in {disk.folder}"
        table.add_row(f"disk of {disk.holds}", _styled(state), _plain(text))
    return table


def _freshness(found: "SystemStatus") -> "Table":
    table = _table("Freshness", "source", "crawled", "loaded")
    for source in found.sources:
        table.add_row(source.source, _ago(source.crawled_at, found.at), _ago(source.loaded_at, found.at))
    return table


def _unloaded(found: "SystemStatus", *, wide: bool) -> Iterator["RenderableType"]:
    more = len(found.unloaded) - MAX_FILES
    title = "Files not loaded" + (f" (the newest {MAX_FILES} of {len(found.unloaded)})" if more > 0 else "")
    files = found.unloaded[-MAX_FILES:]
    columns = ("source", "dataset", "run", "state")
    table = _table(title, *columns, *(["reason"] if wide else []))
    for file in files:
        cells = (file.source, file.dataset, file.run_id, "held back" if file.held else "waiting")
        table.add_row(*cells, *([_plain(file.reason or "")] if wide else []))
    yield table
    if not wide:
        yield from (_plain(f"{file.run_id}: {file.reason}") for file in files if file.reason)


def _rows(found: "SystemStatus") -> "Table":
    table = _table("Rows", "database", "table", "rows")
    table.columns[-1].justify = "right"
    for counted in found.rows:
        table.add_row(counted.database, counted.table, f"{counted.rows:,}")
    return table


def _release(found: "SystemStatus") -> "Table":
    table = _table("Live release", "", "")
    release = found.release
    if found.release_problem:
        table.add_row("unreadable", _plain(found.release_problem))
        return table
    if release is None:
        table.add_row("none", "run `ukok release build` and `ukok release promote`")
        return table
    table.add_row("version", release.version)
    table.add_row("promoted", _ago(release.promoted_at, found.at))
    table.add_row("built", _ago(release.built_at, found.at))
    table.add_row("contents", f"{release.recipes:,} recipes, {release.products:,} products")
    hit = [] if release.hit_at_10 is None else [f"hit@10 {release.hit_at_10:.3f}"]
    relevance = [f"{name} {value:.2f}" for name, value in release.ndcg_at_5.items()]
    table.add_row("evaluation", ", ".join([*hit, f"gate {'passed' if release.gate_passed else 'refused'}"]))
    if relevance:
        table.add_row("nDCG@5", ", ".join(relevance))
    return table


def _canary(found: "SystemStatus") -> "Table":
    table = _table("Canary", "", "")
    canary = found.canary
    if canary is None:
        table.add_row("unreadable", _plain(found.canary_problem or ""))
        return table
    table.add_row("version", canary.version)
    table.add_row("served to", f"{canary.share:.1%} of the visitors, {canary.baseline} to the others")
    table.add_row("since", _ago(canary.since, found.at))
    decided = f"{canary.decision}, {_ago(canary.watched_at, found.at)}: {canary.reason}"
    table.add_row("decision", _plain(decided if canary.decision else "none yet: run `ukok release watch` every hour"))
    return table


def _steps(found: "SystemStatus", *, wide: bool) -> Iterator["RenderableType"]:
    table = _table("Last runs", "step", "status", "started", *(["seconds", "figures or reason"] if wide else []))
    table.columns[2].justify = "right"
    for step in found.steps:
        seconds = "" if step.seconds is None else f"{step.seconds:.1f}"
        cells = (step.step, _styled(step.status), _ago(step.started_at, found.at))
        table.add_row(*cells, *([seconds, _plain(step.detail)] if wide else []))
    yield table
    if not wide:
        yield from (_plain(f"{step.step}: {step.detail}") for step in found.steps if step.status == "failed")


def _table(title: str, *columns: str) -> "Table":
    """A table without lines, whose cells are folded where the terminal is narrow."""
    from rich.table import Table

    table = Table(
        *columns,
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        show_header=any(columns),
    )
    for column in table.columns:
        column.overflow = "fold"
    return table


def _styled(state: str) -> "RenderableType":
    from rich.text import Text

    return Text(state, style=STYLES.get(state, "red"))


def _plain(text: str) -> "RenderableType":
    """Text that may look like markup."""
    from rich.text import Text

    return Text(text)


def _ago(at: datetime | None, now: datetime) -> str:
    """Age in the two largest units, e.g. `3 h 12 min ago`."""
    if at is None:
        return "-"
    minutes = max(0, (now - at) // timedelta(minutes=1))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h ago"
    return f"{hours} h {minutes} min ago" if hours else f"{minutes} min ago"
