"""Figures of ranked lists against judgements, with their values by query, and paired comparisons of two rankings."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recommender.evaluation.answers import JUDGED
from recommender.evaluation.judgements import Judgements
from recommender.evaluation.results import Difference, RelevanceFigures

RESAMPLES: Final = 1000

Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class QueryResult:
    """How well one list answers its query, over its first :data:`~recommender.evaluation.answers.JUDGED` items.

    ``ndcg`` and ``first`` are None for a query without any good candidate: there an empty list is right.
    """

    shown: int
    judged: int
    wrong: int
    ndcg: float | None
    first: float | None


def evaluate_lists(judgements: Judgements, lists: Lists) -> dict[str, QueryResult]:
    """The result of each query that is judged; one without a list has an empty one."""
    return {query: _result(judgements, query, lists.get(query, ())) for query in judgements.grades}


def relevance_figures(results: Iterable[QueryResult]) -> RelevanceFigures:
    """Figures over all queries."""
    every = list(results)
    answerable = [result for result in every if result.ndcg is not None]
    judged, shown = sum(result.judged for result in every), sum(result.shown for result in every)
    return RelevanceFigures(
        queries=len(every),
        answerable=len(answerable),
        ndcg_at_5=_mean([result.ndcg for result in answerable if result.ndcg is not None]),
        wrong_at_5=sum(result.wrong for result in every) / judged if judged else None,
        first=_mean([result.first for result in answerable if result.first is not None]),
        abstain=_mean([float(not result.shown) for result in every if result.ndcg is None]),
        empty=_mean([float(not result.shown) for result in answerable]),
        unjudged=1 - judged / shown if shown else None,
    )


def ndcg_difference(ours: Mapping[str, QueryResult], theirs: Mapping[str, QueryResult]) -> Difference | None:
    """Difference in nDCG, ours minus theirs, by paired bootstrap over the queries that both can answer."""
    pairs = [
        (result.ndcg, other.ndcg)
        for query, result in ours.items()
        if (other := theirs.get(query)) and result.ndcg is not None and other.ndcg is not None
    ]
    return paired_difference([one for one, _ in pairs], [other for _, other in pairs])


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference | None:
    """Mean of ours minus theirs with its 95 % interval, by paired bootstrap over the cases; None without cases."""
    if not ours:
        return None
    difference = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    chance = np.random.default_rng(len(difference))
    means = difference[chance.integers(0, len(difference), (RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return Difference(cases=len(difference), mean=float(difference.mean()), low=low, high=high)


def _result(judgements: Judgements, query: str, answer: Sequence[str]) -> QueryResult:
    known = judgements.grades[query]
    items = list(dict.fromkeys(answer))[:JUDGED]
    grades = [grade for item in items if (grade := judgements.grade(query, item)) is not None]
    best = _dcg(sorted(known.values(), reverse=True))
    return QueryResult(
        shown=len(items),
        judged=len(grades),
        wrong=grades.count(0),
        ndcg=_dcg(grades) / best if best else None,
        first=float(bool(grades) and grades[0] >= max(known.values())) if best else None,
    )


def _dcg(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:JUDGED]))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
