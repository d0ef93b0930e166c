"""Checks of the gate on a relation: relevance, comparisons, faults of its lists, agreement with the live release."""

from collections.abc import Iterator

from pipelines.release.checks import Figure, at_least, at_most, not_behind
from pipelines.release.thresholds import Thresholds
from recommender.evaluation.results import ListFigures, RelationEvaluation, RelevanceFigures
from recommender.manifest import Check, CheckStatus


def relation_checks(name: str, relation: RelationEvaluation, limits: Thresholds) -> Iterator[Check]:
    """Relevance and comparisons where there are queries, faults of lists, and agreement with the live lists."""
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
    faults["without a finite score"] = lists.not_finite
    named = ", ".join(f"{count} {fault}" for fault, count in faults.items() if count) or "none"
    what = f"items that no list may hold ({named})"
    yield at_most(Figure(f"{name}.items", float(sum(faults.values())), what, "the lists are damaged"), 0, few)
    if lists.diversity is not None:
        what = f"distinct items over the places of {asked} lists"
        yield at_least(Figure(f"{name}.diversity", lists.diversity, what, same), own.min_diversity, few)
        what = "share of the places that the ten most shown items take"
        yield at_most(Figure(f"{name}.concentration", lists.concentration, what, same), own.max_concentration, few)
    yield from _score_checks(name, lists, limits)


def _score_checks(name: str, lists: ListFigures, limits: Thresholds) -> Iterator[Check]:
    own = limits.lists
    # Relations that rank by more than the score that they show are in no order of scores.
    unsorted = None if name in own.not_sorted_by_score else lists.unsorted
    for figure, value, limit, what, meaning in (
        ("tied", lists.tied, own.max_tied, "share of lists with equal scores", "the scores order nothing"),
        ("sorted", unsorted, 0.0, "share of lists whose scores rise", "the best items do not come first"),
        (
            "reasons",
            lists.false_reasons,
            own.max_false_reasons,
            "share of reasons that the catalog contradicts",
            "what is given as the reason is not so",
        ),
    ):
        if value is not None:
            yield at_most(Figure(f"{name}.{figure}", value, what, meaning), limit, limits.cases.minimum)


def _agreement_check(name: str, jaccard: float, limits: Thresholds) -> Check:
    own = limits.live
    what = "Jaccard similarity of the first ten items to those of the live release"
    meaning = "the lists seem to be those of other queries"
    check = at_least(Figure(f"{name}.agreement", jaccard, what, meaning), own.min_agreement, limits.cases.minimum)
    if check.status is not CheckStatus.PASSED or jaccard >= own.warn_agreement:
        return check
    reason = f"{check.reason}, {own.warn_agreement:.3f} and more expected: see `ukok release diff`"
    return check.model_copy(update={"status": CheckStatus.WARNED, "reason": reason})
