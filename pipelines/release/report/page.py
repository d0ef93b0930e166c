"""The report of a release as one self-contained HTML page: no script, no font, no network."""

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from pipelines.release.report import plots
from pipelines.release.report.content import ReleaseReport
from recommender.manifest import CheckStatus
from ukok.korea import KST
from ukok.pages.templating import templates_of

NOTHING: Final = "—"
MODELS: Final = ("word2vec", "bert")
# Signs of the checks that are not simply passed, for those who do not tell colours apart.
SIGNS: Final[Mapping[str, str]] = {
    CheckStatus.PASSED: "✓",
    CheckStatus.WARNED: "!",
    CheckStatus.FAILED: "✗",
    CheckStatus.NOT_JUDGED: "?",
    CheckStatus.ALLOWED: "○",
}


def render(report: ReleaseReport) -> str:
    """Render the page. The same report gives the same bytes."""
    templates = templates_of("pipelines.release.report")
    templates.filters |= {
        "number": lambda value: NOTHING if value is None else f"{value:,.0f}",
        "decimal": _figure,
        "signed": lambda value: NOTHING if value is None else f"{value:+.3f}".replace("-", "−"),
        "limit": lambda value: NOTHING if value is None else f"{value:,.3f}".removesuffix(".000"),
        "kst": lambda instant: f"{instant.astimezone(KST):%Y-%m-%d %H:%M}",
    }
    return templates.get_template("release.html.j2").render(
        manifest=report.manifest,
        evaluation=report.manifest.evaluation,
        inspection=report.inspection,
        signs=SIGNS,
        plots=_drawn(report),
        rival_figures=plots.rival_figures,
    )


def _drawn(report: ReleaseReport) -> dict[str, Markup | None]:
    relations, inside = report.manifest.evaluation.relations, report.inspection
    drawn = {
        **{name: plots.learning(name, report.training.get(name, {})) for name in MODELS},
        "relevance": plots.relevance(relations),
        "differences": plots.differences(relations),
    }
    if inside is None:
        return drawn
    return drawn | {
        "slices": plots.slice_bars(inside.slices),
        "ingredients": plots.embedding("ingredients", "Map of the ingredients", inside.ingredients),
        "products": plots.embedding("products", "Map of the products", inside.products),
        "ablation": plots.ablation(inside.ablations),
    }


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
