"""Plots of the report of a release; None where there is nothing to plot."""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipelines.release.report.ablation import RelationAblation
from pipelines.release.report.maps import OTHERS, EmbeddingMap
from pipelines.release.report.slices import Slice
from pipelines.train.curves import LearningCurve
from recommender.evaluation.results import Difference, RelationEvaluation
from ukok.pages.svg import CATEGORIES, INK, LINE, SECOND, SERIES, draw_svg

# Inches of a row of bars, and of what is above and below them.
ROW: Final = 0.2
AROUND: Final = 0.75
# How the rivals are drawn, and the live release; the name of any other rival is unknown here.
MARKERS: Final = {"popularity": "x", "tfidf": "o", "bm25": "s", "live": "D"}
MAP_MARKERS: Final = "osD^vPX"


def learning(name: str, curves: Mapping[str, LearningCurve]) -> Markup | None:
    """Plot the loss of the trainings of a model."""
    drawn = {part: curve for part, curve in curves.items() if len(curve.points) > 1}
    if not drawn:
        return None
    unit = next(iter(drawn.values())).unit

    def draw(axes: Axes) -> None:
        for (part, curve), colour in zip(drawn.items(), (SERIES, SECOND), strict=False):
            at = [point.at for point in curve.points]
            axes.plot(at, [point.loss for point in curve.points], color=colour, marker=".", label=part)
            held_out = [(point.at, point.held_out) for point in curve.points if point.held_out is not None]
            if held_out:
                axes.plot(*zip(*held_out, strict=True), color=INK, linestyle="--", marker=".", label="held out")
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"{unit}s")
        axes.set_ylabel("loss")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.legend(frameon=False)

    ends = (f"{part}: {curve.points[0].loss:.3f} to {curve.points[-1].loss:.3f}" for part, curve in drawn.items())
    return draw_svg(f"learning-{name}", f"Learning curve of {name}", "; ".join(ends), draw)


def embedding(name: str, title: str, found: EmbeddingMap | None) -> Markup | None:
    """Plot a map, a colour and a mark for each group."""
    if found is None:
        return None
    groups = found.groups
    own = [group for group in groups if group != OTHERS]
    styles = dict(zip(own, zip(CATEGORIES, MAP_MARKERS, strict=True), strict=False))

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        for group in reversed(groups):
            points = [point for point in found.points if point.group == group]
            colour, marker = styles.get(group, (LINE, "o"))
            places = [point.x for point in points], [point.y for point in points]
            axes.scatter(*places, s=20, color=colour, marker=marker, linewidths=0, label=group)
        for point in found.points:
            if point.name:
                axes.annotate(point.name, (point.x, point.y), (3, 2), textcoords="offset points", fontsize=7.5)
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4)

    counts = ", ".join(f"{group}: {sum(point.group == group for point in found.points)}" for group in groups)
    return draw_svg(f"map-{name}", title, counts, draw, 4.2)


def relevance(relations: Mapping[str, RelationEvaluation]) -> Markup | None:
    """Plot nDCG@5 of every relation, with that of the rivals and of the live release."""
    rows = [
        (name, each.served.ndcg_at_5, rival_figures(each))
        for name, each in relations.items()
        if each.served.ndcg_at_5 is not None
    ]
    return _bars("relevance", "nDCG@5 of each relation", rows) if rows else None


def slice_bars(found: Sequence[Slice]) -> Markup | None:
    """Plot nDCG@5 of every slice."""
    rows = [
        (f"{each.relation}, {each.name}", each.served.ndcg_at_5, dict(each.rivals))
        for each in found
        if each.served.ndcg_at_5 is not None
    ]
    return _bars("slices", "nDCG@5 of each slice", rows) if rows else None


def differences(relations: Mapping[str, RelationEvaluation]) -> Markup | None:
    """Plot by how much each relation is ahead of rivals and of the live release, with 95 % intervals."""
    rows = [
        (name, rival, difference)
        for name, each in relations.items()
        for rival, difference in each.ahead_of.items()
        if rival in {*each.rivals, "live"}
    ]
    labels = [f"{name} − {rival}" for name, rival, _ in rows]
    title = "nDCG@5 of the release minus that of another, with 95 % intervals"
    return _intervals("differences", title, labels, [difference for *_, difference in rows])


def ablation(found: Sequence[RelationAblation]) -> Markup | None:
    """Plot by how much each relation changes without a part of its ranker."""
    rows = [(each.relation, part.without, part.difference) for each in found for part in each.parts if part.difference]
    labels = [f"{relation} without {part}" for relation, part, _ in rows]
    title = "nDCG@5 without a part minus that with all, with 95 % intervals"
    return _intervals("ablation", title, labels, [difference for *_, difference in rows])


def rival_figures(relation: RelationEvaluation) -> dict[str, float]:
    """nDCG@5 of the rivals and of the live release, which the evaluation holds as a difference."""
    figures = {name: each.ndcg_at_5 for name, each in relation.rivals.items() if each.ndcg_at_5 is not None}
    if "live" in relation.ahead_of and relation.served.ndcg_at_5 is not None:
        figures["live"] = relation.served.ndcg_at_5 - relation.ahead_of["live"].mean
    return figures


def _bars(name: str, title: str, rows: Sequence[tuple[str, float, Mapping[str, float]]]) -> Markup:
    """Bars of the release, and a mark on them for each rival."""
    rivals = list(dict.fromkeys(rival for *_, figures in rows for rival in figures))

    def draw(axes: Axes) -> None:
        axes.barh(range(len(rows)), [value for _, value, _ in rows], 0.7, color=SERIES, alpha=0.6, label="release")
        for rival in rivals:
            marks = [(figures[rival], row) for row, (*_, figures) in enumerate(rows) if rival in figures]
            at = [figure for figure, _ in marks], [row for _, row in marks]
            axes.scatter(*at, s=18, color=INK, marker=MARKERS.get(rival, "."), label=rival)
        _rows(axes, [label for label, *_ in rows])
        axes.set_xlim(0, 1.02)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=5, columnspacing=1.2)

    described = "; ".join(
        f"{label}: {value:.3f} ({', '.join(f'{rival} {figure:.3f}' for rival, figure in figures.items())})"
        for label, value, figures in rows
    )
    return draw_svg(name, title, described, draw, AROUND + ROW * len(rows))


def _intervals(name: str, title: str, labels: Sequence[str], found: Sequence[Difference]) -> Markup | None:
    """Means with their intervals beside a line at 0."""
    if not found:
        return None

    def draw(axes: Axes) -> None:
        rows = range(len(found))
        axes.axvline(0, color=INK, linewidth=0.8)
        colours = [SECOND if each.high < 0 else SERIES for each in found]
        axes.hlines(rows, [each.low for each in found], [each.high for each in found], colors=colours, linewidth=1.5)
        axes.scatter([each.mean for each in found], rows, s=16, color=colours)
        _rows(axes, labels)

    described = "; ".join(
        f"{label}: {each.mean:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
        for label, each in zip(labels, found, strict=True)
    )
    return draw_svg(name, title, described, draw, AROUND + ROW * len(found))


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows, from the top down."""
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
