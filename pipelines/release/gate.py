"""The gate of a release: each check holds a figure of the evaluation against a limit of ``thresholds.toml``.

A check that has failed blocks promotion, and so does one without cases to judge by, unless somebody allows it by name.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from math import sqrt
from typing import Final

from artifacts.release import CorruptRelease
from pipelines.release.checks import Figure, at_least, at_most, not_behind
from pipelines.release.thresholds import Thresholds
from recommender.evaluation.results import (
    CompletionEvaluation,
    ContentEvaluation,
    Difference,
    Evaluation,
    ListFigures,
    PersonalEvaluation,
    RelationEvaluation,
    RelevanceFigures,
    ServedCompletion,
    VectorEvaluation,
)
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
        yield from _relation_checks(name, relation, limits)
    yield from _completion_checks(evaluation.served_completion, evaluation.completion, limits)
    yield from _encoder_checks(evaluation, limits)
    yield from _vector_checks(evaluation.vectors, limits)
    yield from _personal_checks(evaluation.personal, limits)


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


def _relation_checks(name: str, relation: RelationEvaluation, limits: Thresholds) -> Iterator[Check]:
    served, judged = relation.served, relation.basis == "judgements"
    basis = "judgements" if judged else "the rule of the relation"
    relevance = Figure(
        f"{name}.relevance",
        served.ndcg_at_5,
        f"nDCG@5 by {basis} on {served.answerable} queries",
        "the lists do not hold what goes with the query",
        served.answerable,
    )
    yield at_least(
        relevance, limits.judgements.min_ndcg if judged else limits.rules.min_ndcg[name], limits.cases.minimum
    )
    if judged:
        yield from _judgement_checks(name, served, limits)
    if served.answerable >= limits.cases.minimum:
        yield from _comparison_checks(name, relation, limits)
    if relation.lists and relation.lists.asked:
        yield from _list_checks(name, relation.lists, limits)
    if relation.agreement and relation.agreement.jaccard_at_10 is not None:
        yield _agreement_check(name, relation.agreement.jaccard_at_10, limits)


def _judgement_checks(name: str, served: RelevanceFigures, limits: Thresholds) -> Iterator[Check]:
    own, few, cases = limits.judgements, limits.cases.minimum, served.queries
    what = f"share of wrong items among the first five of {cases} queries"
    yield at_most(
        Figure(f"{name}.wrong", served.wrong_at_5, what, "too much of it is out of place", cases), own.max_wrong, few
    )
    what, meaning = "share of the shown items that nobody has graded", "the judgements are too old: grade the new items"
    yield at_most(Figure(f"{name}.unjudged", served.unjudged, what, meaning, cases), own.max_unjudged, few)


def _comparison_checks(name: str, relation: RelationEvaluation, limits: Thresholds) -> Iterator[Check]:
    """Against simple methods, its own lists reversed, and the live release."""
    ahead, tolerance = relation.ahead_of, limits.live.tolerance
    simple = {rival: ahead[rival] for rival in relation.rivals if rival in ahead}
    if simple and (relation.basis == "judgements" or name not in limits.rules.without_rivals):
        best = min(simple, key=lambda rival: simple[rival].mean)
        meaning = "a simple method ranks better"
        yield not_behind(f"{name}.rivals", simple[best], f"nDCG@5 minus that of {best}", meaning, tolerance)
    if "reversed" in ahead:
        what, meaning = "nDCG@5 minus that of its own lists reversed", "the lists are the wrong way round"
        yield not_behind(f"{name}.order", ahead["reversed"], what, meaning, tolerance)
    if "live" in ahead:
        what, meaning = "nDCG@5 minus that of the live release", "the live release answers better"
        yield not_behind(f"{name}.live", ahead["live"], what, meaning, tolerance)


def _list_checks(name: str, lists: ListFigures, limits: Thresholds) -> Iterator[Check]:
    own, few, asked = limits.lists, limits.cases.minimum, lists.asked
    what, same = f"share of {asked} queries with an answer", "everybody is shown the same"
    yield at_least(
        Figure(f"{name}.answered", lists.answered, what, "most queries get nothing", asked), own.min_answered, few
    )
    faults = {"repeated": lists.repeated, "the query itself": lists.own, "unknown to the catalog": lists.unknown}
    named = ", ".join(f"{count} {fault}" for fault, count in faults.items() if count) or "none"
    what = f"items that no list may hold ({named})"
    yield at_most(Figure(f"{name}.items", float(sum(faults.values())), what, "the lists are damaged"), 0, few)
    if lists.diversity is not None:
        what = f"distinct items over the places of {asked} lists"
        yield at_least(Figure(f"{name}.diversity", lists.diversity, what, same), own.min_diversity, few)
        what = "share of the places that the ten most shown items take"
        yield at_most(Figure(f"{name}.concentration", lists.concentration, what, same), own.max_concentration, few)
    for figure, value, limit, what, meaning in (
        ("tied", lists.tied, own.max_tied, "share of lists with equal scores", "the scores order nothing"),
        (
            "sorted",
            lists.unsorted,
            own.max_unsorted.get(name, 0.0),
            "share of lists whose scores rise or are not finite",
            "the best items do not come first",
        ),
        (
            "reasons",
            lists.false_reasons,
            own.max_false_reasons,
            "share of reasons that the catalog contradicts",
            "what is given as the reason is not so",
        ),
    ):
        if value is not None:
            yield at_most(Figure(f"{name}.{figure}", value, what, meaning), limit, few)


def _agreement_check(name: str, jaccard: float, limits: Thresholds) -> Check:
    own = limits.live
    what = "Jaccard similarity of the first ten items to those of the live release"
    meaning = "the lists seem to be those of other queries"
    check = at_least(Figure(f"{name}.agreement", jaccard, what, meaning), own.min_agreement, limits.cases.minimum)
    if check.status is not CheckStatus.PASSED or jaccard >= own.warn_agreement:
        return check
    reason = f"{check.reason}, {own.warn_agreement:.3f} and more expected: see `ukok release diff`"
    return check.model_copy(update={"status": CheckStatus.WARNED, "reason": reason})


def _completion_checks(
    served: ServedCompletion, completion: CompletionEvaluation, limits: Thresholds
) -> Iterator[Check]:
    own, few, cases = limits.completion, limits.cases.minimum, served.cases
    what, meaning = f"share of {cases} held-out ingredients among the first ten", "recipes are not completed"
    for name, figures, limit in (
        ("titled", served.titled, own.min_hit_titled),
        ("untitled", served.untitled, own.min_hit_untitled),
    ):
        hit = figures.hit_at_10 if figures else None
        yield at_least(Figure(f"completion.{name}", hit, what, meaning, cases), limit, few)
    if cases < few:
        return
    tolerance = limits.live.tolerance
    for other, difference in served.ahead_of.items():
        what = f"hit@10 minus that of {'the live release' if other == 'live' else other}"
        yield not_behind(f"completion.{other}", difference, what, "recipes are completed worse", tolerance)
    if completion.blend_against and completion.cases >= few:
        best, ahead = min(completion.blend_against.items(), key=lambda pair: pair[1].hit_at_10)
        difference = Difference(cases=completion.cases, mean=ahead.hit_at_10, low=ahead.low, high=ahead.high)
        what, meaning = f"hit@10 of the blend minus that of {best}", "one ranker alone completes recipes better"
        yield not_behind("completion.rankers", difference, what, meaning, tolerance)


def _least_search(untrained: float, gain: float, titles: int) -> float:
    """The mean reciprocal rank that a trained encoder reaches, less half the error of a mean over so few titles.

    Reciprocal ranks are between 0 and 1, so their variance is at most m (1 - m). A few dozen titles that name their
    ingredients are found by an untrained encoder too, and leave nothing to gain.
    """
    error = sqrt(untrained * (1 - untrained) / max(titles, 1))
    return untrained + gain * (1 - untrained) - error / 2


def _encoder_checks(evaluation: Evaluation, limits: Thresholds) -> Iterator[Check]:
    encoder, own, few = evaluation.encoder, limits.encoder, limits.cases.minimum
    titles, untrained = encoder.titles, evaluation.models.bert.untrained.mrr
    for name, value, limit, what, meaning in (
        (
            "understood",
            encoder.understood,
            own.min_understood,
            f"share of {titles} titles with a vector",
            "the encoder knows hardly any word",
        ),
        (
            "found",
            encoder.found,
            own.min_found,
            f"share of {titles} titles that find their recipe, packaging added",
            "similar texts have no similar vectors",
        ),
        (
            "search",
            encoder.search.mrr if encoder.search.recipes else None,
            _least_search(untrained, own.min_gain, encoder.search.recipes),
            f"mean reciprocal rank of {encoder.search.recipes} titles among ingredient lists",
            f"the encoder is no better than an untrained one ({untrained:.3f})",
        ),
        (
            "index",
            encoder.index_cosine,
            own.min_index_cosine,
            f"mean cosine of {titles} titles to their rows of the text index",
            "the index was made by another encoder, or of other texts",
        ),
        (
            "recall",
            evaluation.index.recall_at_10 if titles else None,
            own.min_recall,
            "share of the ten nearest titles that the text index returns",
            "the text index misses what is nearest",
        ),
    ):
        yield at_least(Figure(f"encoder.{name}", value, what, meaning, titles), limit, few)
    what, meaning = f"mean cosine of {titles} different titles", "all texts look the same to the encoder"
    yield at_most(Figure("encoder.cosine", encoder.cosine, what, meaning, titles), own.max_cosine, few)


def _vector_checks(vectors: VectorEvaluation, limits: Thresholds) -> Iterator[Check]:
    own, few, cases = limits.vectors, limits.cases.minimum, vectors.ingredients
    above = "standard deviations above shuffled names of pairs"
    for name, value, limit, what, meaning in (
        (
            "covered",
            vectors.covered,
            own.min_covered,
            "share of the ingredient lines of recipes with a vector",
            "most ingredients have no vector",
        ),
        (
            "together",
            vectors.together,
            own.min_together,
            f"{above} that share a recipe",
            "the vectors do not know what goes together",
        ),
        (
            "recipes",
            vectors.recipes,
            own.min_recipes,
            "share of recipes that their ingredients' vectors find",
            "the recipe index was made of other vectors, or of other recipes",
        ),
        ("alike", vectors.alike, own.min_alike, f"{above} of one section", "the vectors do not know what is alike"),
    ):
        yield at_least(Figure(f"vectors.{name}", value, what, meaning, cases), limit, few)


def _personal_checks(personal: PersonalEvaluation | None, limits: Thresholds) -> Iterator[Check]:
    """Nothing without a personal model: the relations that answer in its place have checks of their own."""
    if personal is None:
        return
    own, few, people = limits.personal, limits.cases.minimum, personal.people
    what = f"recall@20 of what {people} people took next"
    meaning = "people are not shown what they take"
    yield at_least(Figure("personal.next_items", personal.served.recall_at_20, what, meaning, people), 0.0, few)
    if people < few:
        return
    best = min(personal.rivals, key=lambda rival: personal.ahead_of[rival].mean)
    what, meaning = f"recall@20 minus that of {best}", "a simple method knows better what people take"
    yield not_behind("personal.rivals", personal.ahead_of[best], what, meaning, own.tolerance)
    what = "recall@20 of the released model minus that of one that has not learnt the answers"
    meaning = "the released model is not the one that was measured"
    yield not_behind("personal.released", personal.ahead_of["held_out"], what, meaning, own.tolerance)
