"""Plots as SVG elements of a page: text stays text, and fonts and colours are those of the page."""

import re
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Placeholders for the colours of the page, which has a light and a dark set.
INK, LINE, SERIES, SECOND, NONE = "#000001", "#000002", "#000003", "#000004", "none"
CATEGORIES = tuple(f"#00001{number}" for number in range(1, 8))
PAGE_COLOURS = {INK: "var(--ink)", LINE: "var(--line)", SERIES: "var(--series)", SECOND: "var(--second)"}
PAGE_COLOURS |= {colour: f"var(--category-{number})" for number, colour in enumerate(CATEGORIES, start=1)}
STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with two dollar signs is no formula
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.facecolor": NONE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "figure.facecolor": NONE,
    "hatch.color": LINE,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
WIDTH, HEIGHT = 5.0, 2.4  # inches


def draw_svg(name: str, title: str, description: str, draw: Callable[[Axes], None], height: float = HEIGHT) -> Markup:
    """Draw an SVG element with a title and a description. The same figures give the same bytes."""
    with rc_context(STYLE | {"svg.hashsalt": name}), warnings.catch_warnings():
        # The page's fonts draw the text; those that measure it here may lack its letters.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        file = StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = file.getvalue()
    text = text[text.index("<svg") :]
    # Several plots share a page, and matplotlib numbers the ids anew in each; nothing refers to them.
    text = re.sub(r' id="[\w.]+_\d+"', "", text)
    text = re.sub(r"(font: [^;\"]*?\d+(?:\.\d+)?px) [^;\"]*", r"\1 var(--sans)", text)
    for colour, variable in PAGE_COLOURS.items():
        text = text.replace(colour, variable)
    opening, rest = text.split(">", 1)
    opening = re.sub(r' (?:width|height)="[^"]*"', "", opening)
    label = f'role="img" aria-labelledby="{name}-title {name}-description"'
    head = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-description">{escape(description)}</desc>'
    return Markup(f"{opening} {label}>{head}{rest}")  # noqa: S704 (drawn here; outside text is escaped)
