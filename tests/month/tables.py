"""Figures of a month as tables for people and as JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.month.injections import TRUNCATIONS
from tests.month.results import CrawlResult, MonthResult
from tests.month.runner import Plan
from tests.month.scopes import SOURCES
from ukok.korea import KST


def line_of(result: CrawlResult) -> str | None:
    """Return what is worth saying of a crawl, if anything is."""
    if not (result.injection or result.new or result.false_holds):
        return None
    parts = [f"{result.at.astimezone(KST):%m-%d %H:%M} {result.source}"]
    if result.injection:
        parts.append(f"{result.injection.kind}: {result.outcome}")
    if result.false_holds:
        parts.append(f"false hold: {result.reason or result.false_holds[0]}")
    if result.new:
        parts.append(f"{len(result.new)} new differences, such as {result.new[0]}")
    return "; ".join(parts)


def print_tables(result: MonthResult, console: Console) -> None:
    """Print the runs by source, the faults by kind, and the rest line by line."""
    runs = Table("source", "crawls", "failed", "held", "false holds", "faults", "differences", title="Crawls")
    for source in SOURCES:
        crawls = [crawl for crawl in result.crawls if crawl.source == source]
        runs.add_row(
            source,
            str(len(crawls)),
            str(sum(crawl.failed is not None for crawl in crawls)),
            str(sum(crawl.held > 0 for crawl in crawls)),
            str(sum(len(crawl.false_holds) for crawl in crawls)),
            str(sum(crawl.injection is not None for crawl in crawls)),
            str(sum(len(crawl.new) for crawl in crawls)),
        )
    console.print(runs)
    kinds = Table("fault", "injected", "held", "mended", "missed", title="Faults")
    for kind, counts in result.by_kind().items():
        row = (counts.total(), counts["held"], counts["mended"], counts["missed"])
        kinds.add_row(kind, *map(str, row))
    console.print(kinds)
    for name, value in summary(result).items():
        console.print(f"{name:>28}: {value}", markup=False, soft_wrap=True)


def summary(result: MonthResult) -> dict[str, Any]:
    """Return the figures that decide."""
    return {
        "days": result.days,
        "days with differences": len(result.days_with_differences),
        "crawls": len(result.crawls),
        "false holds": len(result.false_holds),
        "faults": result.injected().total(),
        "held or mended": f"{result.share_handled():.1%}",
        "truncations, empty pages": result.injected(TRUNCATIONS).total(),
        "of them held or mended": f"{result.share_handled(TRUNCATIONS):.1%}",
        "unexplained differences": len(result.unexplained),
        "differences at the end": len(result.left),
        "false prices": len(result.false_prices),
        "events landed": result.events[0],
        "facts and rejected events": result.events[1],
        "releases": result.releases,
        "killed steps": dict(result.kills),
        "seconds": {name: round(seconds) for name, seconds in result.seconds.items()},
        "CPU seconds": {name: round(seconds) for name, seconds in result.cpu_seconds.items()},
    }


def write_figures(result: MonthResult, plan: Plan, path: Path) -> None:
    """Write everything as JSON."""
    crawls = [
        {
            "source": crawl.source,
            "at": crawl.at.isoformat(),
            "failed": crawl.failed,
            "held_scopes": crawl.held,
            "false_holds": crawl.false_holds,
            "fault": crawl.injection and crawl.injection.kind,
            "outcome": crawl.outcome,
            "new_differences": list(map(str, crawl.new[:20])),
            "differences": crawl.wrong,
            "reason": crawl.reason,
        }
        for crawl in result.crawls
    ]
    figures = {
        "plan": asdict(plan),
        "summary": summary(result),
        "faults": result.by_kind(),
        "failures": result.failures,
        "crawls": crawls,
    }
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
