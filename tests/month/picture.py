"""Timeline of a month: a row for each source, with its crawls, holds, faults and differences."""

from pathlib import Path

from matplotlib import rc_context, rcdefaults
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tests.month.results import MonthResult
from tests.month.scopes import SOURCES
from ukok.korea import KST

OUTCOMES = {"held": ("tab:blue", "v"), "mended": ("tab:green", "^"), "missed": ("tab:red", "X")}


def draw(result: MonthResult, path: Path) -> None:
    """Draw the timeline into a PNG file, in the default style whatever the reports of crawls have set."""
    with rc_context():
        rcdefaults()
        _draw(result, path)


def _draw(result: MonthResult, path: Path) -> None:
    figure = Figure(figsize=(14, 6), layout="constrained")
    rows = figure.subplots(len(SOURCES), 1, sharex=True)
    for axes, source in zip(rows, SOURCES, strict=True):
        crawls = [crawl for crawl in result.crawls if crawl.source == source]
        instants = [crawl.at.astimezone(KST).replace(tzinfo=None) for crawl in crawls]
        axes.fill_between(instants, [crawl.wrong for crawl in crawls], step="mid", color="tab:red", alpha=0.3)
        axes.plot(instants, [0] * len(instants), "|", color="0.6", markersize=4, label="crawl")
        for outcome, (colour, marker) in OUTCOMES.items():
            at = [instant for crawl, instant in zip(crawls, instants, strict=True) if crawl.outcome == outcome]
            axes.plot(at, [0] * len(at), marker, color=colour, markersize=7, label=f"fault {outcome}")
        false = [instant for crawl, instant in zip(crawls, instants, strict=True) if crawl.false_holds]
        axes.plot(false, [0] * len(false), "o", mfc="none", color="black", markersize=11, label="false hold")
        axes.set_ylabel(f"{source}\nrows that differ")
        axes.set_ylim(-1, max(5, *(crawl.wrong for crawl in crawls)) + 1)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    rows[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False)
    figure.savefig(path, dpi=80)
