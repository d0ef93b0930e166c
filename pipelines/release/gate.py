"""The gate of a release: each check holds a figure of the evaluation against a limit of ``thresholds.toml``.

A check that has failed blocks promotion, and so does one without cases to judge by, unless somebody allows it by name.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from artifacts.release import CorruptRelease
from pipelines.release.checks import Figure, at_least, at_most
from pipelines.release.model_checks import completion_checks, encoder_checks, personal_checks, vector_checks
from pipelines.release.relation_checks import relation_checks
from pipelines.release.thresholds import Thresholds
from recommender.evaluation.results import ContentEvaluation, Evaluation
from recommender.manifest import Check, CheckStatus, Counts, GateResult, Manifest

ACCEPT_FEWER: Final = "accept-fewer"
COUNTS: Final = "counts."


def check_gate(
    release: Manifest,
    live: Manifest | None,
    limits: Thresholds,
    *,
    allow_unjudged: AbstractSet[str] = frozenset(),
    accept_fewer: bool = False,
) -> GateResult:
    """Check the evaluation of a release, also against that of the live one.

    ``allow_unjudged`` names checks that may be without cases; ``accept_fewer`` allows a much smaller catalog.
    """
    checks = [*_content_checks(release.evaluation.content, limits)]
    if live:
        checks += _count_checks(release.counts, live.counts, limits)
    if not release.evaluation.content.problems:
        checks += _served_checks(release.evaluation, limits)
        checks += personal_checks(release.evaluation.personal, live.evaluation.personal if live else None, limits)
    decided = tuple(_decided(check, allow_unjudged, accept_fewer=accept_fewer) for check in checks)
    return GateResult(
        passed=not any(check.status.blocks for check in decided),
        checks=decided,
        accepted=(ACCEPT_FEWER,) if accept_fewer else (),
    )


def refuse_unreadable(error: CorruptRelease) -> GateResult:
    """The result for a release whose files cannot be opened as the API opens them."""
    reason = f"the release cannot be opened: {error}"
    return GateResult(passed=False, checks=(Check(name="content.files", status=CheckStatus.FAILED, reason=reason),))


def failed_checks(gate: GateResult) -> str:
    """The checks of a gate that block, in one line: which, its value and limit, and what it means."""
    blocking = [f"{check.name}: {check.reason}" for check in gate.checks if check.status.blocks]
    return "; ".join(blocking) or "no check was made"


def _decided(check: Check, allow_unjudged: AbstractSet[str], *, accept_fewer: bool) -> Check:
    """The check as it counts once a person's word is heard."""
    unjudged = check.status is CheckStatus.NOT_JUDGED and check.name in allow_unjudged
    fewer = check.status is CheckStatus.FAILED and check.name.startswith(COUNTS) and accept_fewer
    return check.model_copy(update={"status": CheckStatus.ALLOWED}) if unjudged or fewer else check


def _served_checks(evaluation: Evaluation, limits: Thresholds) -> Iterator[Check]:
    for name, relation in evaluation.relations.items():
        yield from relation_checks(name, relation, limits)
    yield from completion_checks(evaluation.served_completion, evaluation.completion, limits)
    yield from encoder_checks(evaluation, limits)
    yield from vector_checks(evaluation.vectors, limits)


def _content_checks(content: ContentEvaluation, limits: Thresholds) -> Iterator[Check]:
    own, few = limits.content, limits.cases.minimum
    shown = "; ".join([*content.problems[:3], *(["and more"] if len(content.problems) > 3 else ())])
    found = Figure(
        "content.arrays",
        float(len(content.problems)),
        f"problems of arrays and indexes ({shown or 'none'})",
        "nothing can be computed with them",
    )
    yield at_most(found, 0, few)
    differences = Figure(
        "content.catalog",
        float(content.stale + content.missing),
        f"{content.stale} rows that the catalog lacks and {content.missing} that only it has",
        "the files were not made from this catalog",
    )
    yield at_most(differences, own.max_catalog_differences, few)
    for name, naming, limit in (
        ("products", content.products, own.min_products_named),
        ("recipes", content.recipes, own.min_recipes_named),
    ):
        what = f"share of {naming.titles} {name} whose title names one of their ingredients"
        meaning = "their ingredients are those of other items"
        yield at_least(Figure(f"content.{name}_named", naming.named, what, meaning, naming.titles), limit, few)


def _count_checks(counts: Counts, live: Counts, limits: Thresholds) -> Iterator[Check]:
    for name, before in live.model_dump().items():
        count = Figure(
            f"{COUNTS}{name}",
            float(getattr(counts, name)),
            f"{name.replace('_', ' ')}, of which the live release has {before:,}",
            "a part of the catalog was not read; if it is meant to be smaller, build with --accept-fewer",
        )
        yield at_least(count, (1 - limits.live.max_loss) * before, limits.cases.minimum)
