"""Measurement of the personal model of a release on what people took after a cut in time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from recommender.evaluation.metrics import mean_difference
from recommender.evaluation.next_items import Hits, PersonalCases, list_hits, suggested_hits
from recommender.evaluation.results import Difference, PersonalEvaluation
from recommender.loaded_release import LoadedRelease


def personal_evaluation(release: LoadedRelease, cases: PersonalCases | None) -> PersonalEvaluation | None:
    """Ask the model of a release, and the one that has not learnt the answers; None without a model."""
    if release.personal is None or cases is None:
        return None
    served, released = (suggested_hits(model, cases.people, cases.cut) for model in (cases.held_out, release.personal))
    rivals = dict(_rivals(cases))
    ahead_of = {name: _difference(served, rival) for name, rival in rivals.items()} if cases.people else {}
    if cases.people:
        ahead_of["held_out"] = _difference(released, served)
    return PersonalEvaluation(
        people=len(cases.people),
        served=served.figures(),
        released=released.figures(),
        rivals={name: rival.figures() for name, rival in rivals.items()},
        ahead_of=ahead_of,
    )


def _rivals(cases: PersonalCases) -> Iterator[tuple[str, Hits]]:
    """What was always popular, what has been lately, and the history alone."""
    most = [product for product, _ in Counter(cases.counts).most_common()]
    yield "popularity", list_hits(most, cases.people)
    yield "popularity_by_time", list_hits(cases.held_out.popular(), cases.people)
    alone = cases.held_out.config.model_copy(update={"popularity_weight": 0.0})
    yield "history", suggested_hits(replace(cases.held_out, config=alone), cases.people, cases.cut)


def _difference(ours: Hits, theirs: Hits) -> Difference:
    difference = mean_difference(ours.recalls, theirs.recalls)
    return Difference(cases=len(ours.recalls), mean=difference.mean, low=difference.low, high=difference.high)
