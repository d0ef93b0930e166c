"""The essentials of a crawl report for a terminal."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from crawlers.report.figures import CrawlReport
from crawlers.report.wording import kst, milliseconds, number, percent, size

MAX_LINES = 5  # of a kind


def summary(report: CrawlReport, where: str) -> Iterator[Table | str]:
    """Yield what to print, with markup: load decision, changes, figures and faults; at most 25 lines.

    ``where``: location of the HTML page.
    """
    mark, colour = ("✓", "green") if report.decision.loadable else ("✗", "red")
    yield f"[{colour}]{mark}[/] {escape(report.decision.sentence)}"
    yield f"  {report.source}, {kst(report.started_at)} KST, run {report.run_id}"
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, min_width=14)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for name, text in _lines(report):
        table.add_row(name, escape(text))
    yield table
    yield f"  report: {escape(where)}"


def _lines(report: CrawlReport) -> Iterator[tuple[str, str]]:
    yield "since the last", ", ".join(_changes(report)) or "this is the first crawl"
    for price in report.changes.biggest[:3] if report.changes else ():
        change = f"{price.before:,} → {price.after:,} won ({percent(price.percent)})"
        yield "", f"{price.name or 'product'} {price.product_id}: {change}"
    if (pages := report.pages) is not None:
        read = f"{pages.changed:,} changed, {pages.unchanged:,} unchanged"
        yield "product pages", f"{read}, {pages.not_due:,} not due, {pages.left:,} due but left"
    for dataset in report.datasets:
        usual = f", usually {number(dataset.usual)}" if dataset.usual is not None else ""
        scopes = f"{dataset.complete:,} of {dataset.scopes:,} scopes complete"
        yield dataset.name, f"{dataset.items:,} items{usual}; {scopes}; {size(dataset.size)}"
    yield from _limited("held back", [f"{each.dataset}, {each.reason}" for each in report.held], "reasons")
    yield from _limited(
        "incomplete", [f"{each.scope.label}: {each.scope.reason}" for each in report.incomplete], "scopes"
    )
    faults = [f"{line.dataset} {line.field}: {line.count:,} × {line.reason}" for line in report.faults]
    yield from _limited("faults", faults, "fields")
    traffic, latency = report.traffic, report.traffic.latency_ms
    responses = ", ".join(f"{count:,} × {status}" for status, count in traffic.by_status.items())
    yield "requests", f"{traffic.requests:,} ({responses}), {traffic.retries:,} retries, {size(traffic.bytes)}"
    quantiles = {"p50": latency.p50, "p90": latency.p90, "p99": latency.p99, "max": latency.max}
    yield "latency", ", ".join(f"{name} {milliseconds(value)}" for name, value in quantiles.items())


def _changes(report: CrawlReport) -> Iterator[str]:
    changes = report.changes
    if report.not_compared is not None:
        yield f"not compared: {report.not_compared}"
    if changes is None:
        return
    for name in ("new", "returned", "vanished", "cheaper", "dearer"):
        count: int | None = getattr(changes, name)
        if count is not None:
            yield f"{count:,} {name}"
    if changes.moved is not None:
        yield f"shows: {changes.added:,} added, {changes.cancelled:,} cancelled, {changes.moved:,} moved"


def _limited(name: str, lines: list[str], what: str) -> Iterator[tuple[str, str]]:
    for place, line in enumerate(lines[:MAX_LINES]):
        yield (name if place == 0 else ""), line
    if len(lines) > MAX_LINES:
        yield "", f"and {len(lines) - MAX_LINES:,} more {what}"
