"""Tables of the faults of a crawl for the terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from artifacts.store import Store
from crawlers.registry import sources
from crawlers.report.faults import RunFaults, read_faults, saved_page

MAX_ROWS = 40  # of a table


def fault_tables(store: Store, run: str) -> Iterator[Table | Text]:
    """Yield tables of what went wrong in a run: what is held back, contract violations, faults, incomplete scopes.

    ``run``: an id, a unique prefix of one, or a source for its newest. Raise ``NoSuchCrawl`` if there is none.
    """
    found = read_faults(store, run, sources())
    yield Text(f"{found.source} {found.run_id}" + (f": {found.failed}" if found.failed else ""))
    if not (found.held or found.faults or found.violations or found.incomplete):
        yield Text("no faults, every contract holds, all scopes complete")
    if found.held:
        yield from _table("Held back", HELD, found.held)
    if found.violations:
        yield from _table("Contract violations", VIOLATIONS, _violations(found))
    if found.faults:
        yield from _table("Faults", FAULTS, _faults(found))
    if found.incomplete:
        yield from _table("Incomplete scopes", INCOMPLETE, _incomplete(found))
    if found.saved_pages:
        yield Text(f"`ukok crawl show-fault {found.run_id} --page 1` prints saved page 1")


def fault_page(store: Store, run: str, number: int) -> bytes:
    """Return a saved page by its number in these tables, as the source sent it. Raise ``NoSuchFault``."""
    return saved_page(store, read_faults(store, run, sources()), number)


HELD = ("dataset", "reason")
VIOLATIONS = ("dataset", "rule", "field", "expected", "found", "page", "saved")
FAULTS = ("dataset", "field", "count", "page", "reason", "saved")
INCOMPLETE = ("dataset", "scope", "items", "reason")


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[Table | Text]:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows[:MAX_ROWS]:
        table.add_row(*map(Text, row))  # a URL may look like markup
    yield table
    if len(rows) > MAX_ROWS:
        yield Text(f"and {len(rows) - MAX_ROWS} more")


def _violations(found: RunFaults) -> list[tuple[str, ...]]:
    return [
        (dataset, each.rule, each.field, each.expected, each.found, each.page or "", _number(found, each.saved_page))
        for dataset, each in found.violations
    ]


def _faults(found: RunFaults) -> list[tuple[str, ...]]:
    return [
        (fault.dataset, fault.field, str(fault.count), fault.page, fault.reason, _number(found, fault.saved_page))
        for fault in found.faults
    ]


def _incomplete(found: RunFaults) -> list[tuple[str, ...]]:
    return [(dataset, scope.label, str(scope.items), scope.reason or "") for dataset, scope in found.incomplete]


def _number(found: RunFaults, saved_page: str | None) -> str:
    return str(found.saved_pages.index(saved_page) + 1) if saved_page else ""
