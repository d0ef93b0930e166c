"""The essentials of a crawl report for a terminal."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from crawlers.report.figures import CrawlReport
from crawlers.report.wording import kst, milliseconds, number, percent, size

MOST = 5  # lines of a kind


def summary(report: CrawlReport, where: str) -> Iterator[Table | str]:
    """What to print, with markup: the verdict, what has changed, what was read and what is amiss; at most 25 lines.

    ``where``: the place of the HTML page.
    """
    mark, colour = ("✓", "green") if report.verdict.loadable else ("✗", "red")
    yield f"[{colour}]{mark}[/] {escape(report.verdict.sentence)}"
    yield f"  {report.source}, {kst(report.started_at)} KST, run {report.run_id}"
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, min_width=14)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for name, told in _lines(report):
        table.add_row(name, escape(told))
    yield table
    yield f"  report: {escape(where)}"


def _lines(report: CrawlReport) -> Iterator[tuple[str, str]]:
    yield "since the last", ", ".join(_changes(report)) or "this is the first crawl"
    for price in report.changes.biggest[:3] if report.changes else ():
        change = f"{price.before:,} → {price.after:,} won ({percent(price.percent)})"
        yield "", f"{price.name or 'product'} {price.product_id}: {change}"
    if (pages := report.pages) is not None:
        read = f"{pages.changed:,} with new content, {pages.unchanged:,} as before"
        yield "product pages", f"{read}, {pages.resting:,} not due, {pages.left:,} due but left"
    for dataset in report.datasets:
        usual = f", usually {number(dataset.usual)}" if dataset.usual is not None else ""
        scopes = f"{dataset.complete:,} of {dataset.scopes:,} scopes complete"
        yield dataset.name, f"{dataset.items:,} items{usual}; {scopes}; {size(dataset.size)}"
    yield from _limited("incomplete", [f"{scope.label}: {scope.reason}" for scope in report.incomplete], "scopes")
    told = [f"{line.dataset} {line.field}: {line.count:,} × {line.reason}" for line in report.faults]
    yield from _limited("faults", told, "fields")
    if (traffic := report.traffic) is not None:
        answers = ", ".join(f"{count:,} × {status}" for status, count in traffic["by_status"].items())
        yield (
            "requests",
            f"{traffic['requests']:,} ({answers}), {traffic['retries']:,} retries, {size(traffic['bytes'])}",
        )
        latency = traffic["latency_ms"]
        quantiles = ", ".join(f"{name} {milliseconds(latency[name])}" for name in ("p50", "p90", "p99", "max"))
        yield "latency", quantiles


def _changes(report: CrawlReport) -> Iterator[str]:
    changes = report.changes
    if changes is None:
        return
    for name in ("new", "returned", "vanished", "cheaper", "dearer"):
        count: int | None = getattr(changes, name)
        if count is not None:
            yield f"{count:,} {name}"
    if changes.moved is not None:
        yield f"shows: {changes.added:,} added, {changes.cancelled:,} cancelled, {changes.moved:,} moved"


def _limited(name: str, lines: list[str], what: str) -> Iterator[tuple[str, str]]:
    for number_, line in enumerate(lines[:MOST]):
        yield (name if number_ == 0 else ""), line
    if len(lines) > MOST:
        yield "", f"and {len(lines) - MOST:,} more {what}"
