"""Plots of a crawl report as SVG: text stays text, and fonts and colours are those of the page."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from crawlers.report.figures import CrawlReport
from ukok.pages.svg import INK, NONE, SECOND, SERIES, draw_svg

CELL = 0.26
BUCKET = 10**0.1  # ratio of the bounds of a latency bucket


def latency(report: CrawlReport) -> Markup | None:
    """Plot the histogram of response times."""
    bins = report.traffic.latency_ms.histogram
    if not bins:
        return None

    def draw(axes: Axes) -> None:
        lower = [upper / BUCKET for upper, _ in bins]
        widths = [upper - low for low, (upper, _) in zip(lower, bins, strict=True)]
        axes.bar(lower, [count for _, count in bins], widths, align="edge", color=SERIES, edgecolor=INK, linewidth=0.3)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("milliseconds")
        axes.set_ylabel("requests")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    description = ", ".join(f"{count:,} within {upper:,g} ms" for upper, count in bins)
    return draw_svg("latency", "Latency of the requests", description, draw)


def timeline(report: CrawlReport) -> Markup | None:
    """Plot requests and bytes over time."""
    points = report.traffic.timeline
    if len(points) < 2:
        return None
    step = points[1][0] - points[0][0]
    seconds = [second for second, _, _ in points]
    edges = [*seconds, seconds[-1] + step]

    def draw(axes: Axes) -> None:
        # Two quantities with two scales: one plot above the other.
        axes.set_axis_off()
        above, below = axes.inset_axes((0, 0.56, 1, 0.44)), axes.inset_axes((0, 0, 1, 0.44))
        above.stairs([count / step for _, count, _ in points], edges, fill=True, color=SERIES)
        below.stairs([size / 1024 / step for *_, size in points], edges, fill=True, color=SECOND)
        above.set_ylabel("requests/s")
        below.set_ylabel("KiB/s")
        above.set_xticklabels([])
        below.set_xlabel("seconds since the start")
        for part in (above, below):
            part.set_ylim(bottom=0)
            part.set_xlim(edges[0], edges[-1])
            part.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            part.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))

    most = max(points, key=lambda point: point[1])
    description = f"{edges[-1]:,} seconds; at most {most[1]:,} requests in {step:,} s, from second {most[0]:,} on."
    return draw_svg("timeline", "Requests and bytes over time", description, draw)


def scopes(report: CrawlReport) -> Markup | None:
    """Plot the items of each scope of the listing: a cell for each channel and day, or a bar for each category."""
    found = [each.scope for each in report.scopes]
    cells = {
        (int(scope.key["channel_id"]), str(scope.key["day"])): (scope.items, scope.complete)
        for scope in found
        if {"channel_id", "day"} == scope.key.keys()
    }
    bars = [
        (str(scope.key["category"]), scope.items, scope.complete) for scope in found if {"category"} == scope.key.keys()
    ]
    if cells:
        return _heat_map(cells)
    return _bars(bars) if bars else None


def price_changes(report: CrawlReport) -> Markup | None:
    """Plot how many prices changed by how many percent."""
    changes = report.changes
    if changes is None or len(changes.percents) < 2:
        return None
    edges = [-1000, *range(-50, 0, 10), 0, *range(10, 51, 10), 1_000_000]
    counts = [
        sum(count for percent, count in changes.percents.items() if _between(percent, low, high))
        for low, high in pairwise(edges)
    ]
    names = ["<−50", *(f"−{-low}" for low in edges[1:6]), *(f"+{high}" for high in edges[7:-1]), ">+50"]

    def draw(axes: Axes) -> None:
        half = len(counts) // 2
        axes.bar(range(half), counts[:half], color=SERIES, width=0.85, label="cheaper")
        axes.bar(range(half, len(counts)), counts[half:], color=SECOND, width=0.85, hatch="///", label="dearer")
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel("price change, up to … %")
        axes.set_ylabel("products")
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    description = f"{changes.cheaper:,} products became cheaper, {changes.dearer:,} dearer."
    return draw_svg("price-changes", "Price changes", description, draw)


def _heat_map(cells: dict[tuple[int, str], tuple[int, bool]]) -> Markup:
    channels = sorted({channel for channel, _ in cells})
    days = sorted({day for _, day in cells})
    most = max(items for items, _ in cells.values()) or 1

    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        for (channel, day), (items, complete) in cells.items():
            x, y = days.index(day), channels.index(channel)
            # Opacity of one colour reads on light and dark pages; the number shows the same.
            axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=SERIES, alpha=0.08 + 0.5 * items / most))
            if not complete:
                axes.add_patch(
                    Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, fill=False, hatch="///", edgecolor=SECOND, linewidth=1)
                )
            axes.text(x, y, _count(items), ha="center", va="center")
        axes.set_xlim(-0.5, len(days) - 0.5)
        axes.set_ylim(len(channels) - 0.5, -0.5)
        axes.set_xticks(range(len(days)), [f"{date.fromisoformat(day):%-m/%-d}" for day in days])
        axes.set_yticks(range(len(channels)), [f"channel {channel}" for channel in channels])
        for spine in axes.spines.values():
            spine.set_visible(False)

    description = "; ".join(
        f"channel {channel} on {day}: {items}{'' if complete else ', incomplete'}"
        for (channel, day), (items, complete) in sorted(cells.items())
    )
    return draw_svg(
        "scopes", "Items by channel and day; hatched: incomplete", description, draw, 0.6 + CELL * len(channels)
    )


def _bars(bars: Sequence[tuple[str, int, bool]]) -> Markup:
    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        for y, (_, items, complete) in enumerate(bars):
            if complete:
                axes.barh(y, items, 0.75, color=SERIES)
            else:
                axes.barh(y, items, 0.75, color=NONE, edgecolor=SECOND, hatch="///")
            axes.text(items, y, f" {_count(items)}{'' if complete else ' (incomplete)'}", va="center")
        axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.margins(x=0.2)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)

    description = "; ".join(f"{name}: {items}{'' if complete else ', incomplete'}" for name, items, complete in bars)
    return draw_svg("scopes", "Items by category; hatched: incomplete", description, draw, 0.4 + 0.2 * len(bars))


def _between(percent: int, low: int, high: int) -> bool:
    """Return whether a change is in a range without its end nearer to zero."""
    return low <= percent < high if percent < 0 else low < percent <= high


def _count(value: float) -> str:
    return f"{value:,.0f}"
