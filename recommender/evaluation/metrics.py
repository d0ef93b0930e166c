"""Ranks of held-out items, and the figures over them."""

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.leave_one_out import LeaveOneOut
from recommender.evaluation.results import HitDifference, MeanDifference, RankingFigures
from recommender.rankers.cases import Scores

Ranks = NDArray[np.float64]


def ranks_of(scores: Scores, held_out: LeaveOneOut) -> Ranks:
    """Rank (cases,) of each held-out item among the items that are not given, from 1; ties share their mean rank.

    Raises ValueError for scores that are not finite: every comparison with NaN fails, so that each rank would be 1.
    """
    if not np.isfinite(scores).all():
        rows = np.flatnonzero(~np.isfinite(scores).all(axis=1))
        raise ValueError(f"scores of {len(rows)} of {len(scores)} cases are not finite, the first in row {rows[0]}")
    open_scores = np.where(held_out.cases.given.toarray() > 0, -np.inf, scores)
    own = scores[np.arange(len(held_out)), held_out.items][:, None]
    better, equal = (open_scores > own).sum(axis=1), (open_scores == own).sum(axis=1)
    ranks: Ranks = better + (equal + 1) / 2
    return ranks


def ranking_figures(ranks: Ranks) -> RankingFigures:
    """hit@10, hit@50 and mean reciprocal rank."""
    return RankingFigures(
        hit_at_10=float((ranks <= 10).mean()), hit_at_50=float((ranks <= 50).mean()), mrr=float((1 / ranks).mean())
    )


def hit_difference(ours: Ranks, theirs: Ranks, resamples: int = 1000) -> HitDifference:
    """Difference in hit@10 with its 95 % interval, by paired bootstrap over the cases."""
    hits = mean_difference((ours <= 10).astype(np.float64), (theirs <= 10).astype(np.float64), resamples)
    return HitDifference(hit_at_10=hits.mean, low=hits.low, high=hits.high)


def mean_difference(ours: NDArray[np.float64], theirs: NDArray[np.float64], resamples: int = 1000) -> MeanDifference:
    """Difference of the means with its 95 % interval, by paired bootstrap over the cases."""
    difference = ours - theirs
    random = np.random.default_rng(len(difference))
    means = difference[random.integers(0, len(difference), (resamples, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return MeanDifference(mean=float(difference.mean()), low=low, high=high)
