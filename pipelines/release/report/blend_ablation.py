"""What each ranker of the blend is worth: recipes completed with its weight set to zero."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from recommender.evaluation.catalog import Catalog
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.metrics import hit_difference, ranking_figures, ranks_of
from recommender.evaluation.results import HitDifference, RankingFigures
from recommender.rankers.blend import Blend
from recommender.rankers.config import BlendWeights, RankerWeight, RankerWeights

# Recipes with an ingredient held out, evenly spaced: hit@10 is then good to two digits.
MAX_CASES: Final = 300


@dataclass(frozen=True)
class BlendAblation:
    """The blend without one ranker: its figures, and hit@10 minus that of the whole blend."""

    without: str
    figures: RankingFigures
    difference: HitDifference


@dataclass(frozen=True)
class BlendParts:
    """Completion of so many recipes by the whole blend, and without each ranker."""

    cases: int
    figures: RankingFigures
    parts: tuple[BlendAblation, ...]


def blend_parts(blend: Blend, catalog: Catalog) -> BlendParts | None:
    """Complete recipes with their title; ``blend`` has not learnt from the test part. None without any case."""
    held_out = leave_one_out(catalog.corpus.test(), blend.names).evenly_spaced(MAX_CASES)
    if not len(held_out):
        return None
    whole = ranks_of(blend.batch(held_out.cases), held_out)
    parts = []
    for name, weights in _without_each(blend.weights):
        ranks = ranks_of(replace(blend, weights=weights).batch(held_out.cases), held_out)
        parts.append(BlendAblation(name, ranking_figures(ranks), hit_difference(ranks, whole)))
    return BlendParts(len(held_out), ranking_figures(whole), tuple(parts))


def _without_each(weights: BlendWeights) -> Iterator[tuple[str, BlendWeights]]:
    """The weights without each ranker that has one."""
    for name, weight in weights.titled.by_name().items():
        if weight != RankerWeight():
            yield name, BlendWeights(titled=_without(weights.titled, name), untitled=_without(weights.untitled, name))


def _without(weights: RankerWeights, name: str) -> RankerWeights:
    return weights.model_copy(update={name: RankerWeight()})
