"""Faults of a crawl as tables for a terminal."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from artifacts.store import Store
from crawlers.registry import sources
from crawlers.report.faults import RunFaults, kept_page, read_faults

MAX_ROWS = 40


def fault_tables(store: Store, run: str) -> Iterator[Table | Text]:
    """Yield tables of what went wrong in a run: broken rules of its contracts, faults by field, incomplete scopes.

    ``run``: an id, a unique beginning of one, or a source for its newest crawl. Raises ``NoSuchCrawl``.
    """
    found = read_faults(store, run, sources())
    yield Text(f"{found.source} {found.run_id}" + (f": {found.failed}" if found.failed else ""))
    if not (found.faults or found.broken or found.incomplete):
        yield Text("no faults, every contract kept, all scopes complete")
    if found.broken:
        yield from _table("Broken contracts", BROKEN, _broken(found))
    if found.faults:
        yield from _table("Faults", FAULTS, _faults(found))
    if found.incomplete:
        yield from _table("Incomplete scopes", INCOMPLETE, _incomplete(found))
    if found.kept:
        yield Text(f"`ukok crawl show-fault {found.run_id} --page 1` prints the page that is kept as 1")


def fault_page(store: Store, run: str, number: int) -> bytes:
    """Return a kept page by its number in these tables, as the source sent it. Raises ``NoSuchFault``."""
    return kept_page(store, read_faults(store, run, sources()), number)


BROKEN = ("dataset", "rule", "field", "expected", "found", "page", "kept")
FAULTS = ("dataset", "field", "count", "page", "reason", "kept")
INCOMPLETE = ("dataset", "scope", "items", "reason")


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[Table | Text]:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows[:MAX_ROWS]:
        table.add_row(*map(Text, row))  # a page's address may look like markup
    yield table
    if len(rows) > MAX_ROWS:
        yield Text(f"and {len(rows) - MAX_ROWS} more")


def _broken(found: RunFaults) -> list[tuple[str, ...]]:
    return [
        (
            entry["dataset"],
            entry["rule"],
            entry["field"],
            entry["expected"],
            entry["found"],
            entry["page"] or "",
            _number(found, entry["kept"]),
        )
        for entry in found.broken
    ]


def _faults(found: RunFaults) -> list[tuple[str, ...]]:
    return [
        (fault.dataset, fault.field, str(fault.count), fault.page, fault.reason, _number(found, fault.kept))
        for fault in found.faults
    ]


def _incomplete(found: RunFaults) -> list[tuple[str, ...]]:
    return [
        (
            entry["dataset"],
            ", ".join(f"{name} {value}" for name, value in entry["scope"].items()),
            str(entry["items"]),
            entry["reason"],
        )
        for entry in found.incomplete
    ]


def _number(found: RunFaults, kept: str | None) -> str:
    return str(found.kept.index(kept) + 1) if kept else ""
