"""Evaluation of recipe completion: the rank of an ingredient held out of recipes that no model has learnt from.

Every item that is not given is ranked, never a sample, and every method answers the same cases.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from recommender.evaluation.leave_one_out import LeaveOneOut, leave_one_out
from recommender.evaluation.metrics import hit_difference, ranking_figures, ranks_of
from recommender.evaluation.results import CompletionEvaluation, RankingFigures
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import Encode, NearestByText, recipe_vectors
from recommender.rankers.blend import Blend
from recommender.rankers.cases import Ranker, Scores
from recommender.rankers.item_knn import fit_cooccurrence

# Recipes to complete, evenly spaced over the test part: figures of more have more digits than they need.
MAX_CASES: Final = 4_000
# What a release answers with: (ingredients, at most so many, title) -> names with scores, best first.
Complete = Callable[[Sequence[str], int, str], Sequence[tuple[str, float]]]


def held_out_completion(
    complete: Complete, corpus: RecipeCorpus, names: Sequence[str], *, titled: bool = True, at_most: int = 500
) -> RankingFigures | None:
    """Ask `complete`, as a release is asked, for the ingredient held out of recipes of the test part of `corpus`.

    What answers must not have learnt from that part; `names` are the ingredients it knows. Evenly spaced cases, at
    most `at_most`; None if there are none. An item beyond the first 50 counts as not found.
    """
    cases = leave_one_out(corpus.test(), names).evenly_spaced(at_most)
    if not len(cases):
        return None
    ranks = np.full(len(cases), np.inf)
    for row, item in enumerate(cases.items.tolist()):
        given = [names[number] for number in cases.cases.given[[row]].indices.tolist()]
        answer = [name for name, _ in complete(given, 50, cases.cases.titles[row] if titled else "")]
        if names[item] in answer:
            ranks[row] = answer.index(names[item]) + 1
    return ranking_figures(ranks)


def evaluate_completion(
    blend: Blend, learnt: RecipeCorpus, corpus: RecipeCorpus, encode: Encode
) -> CompletionEvaluation:
    """Compare `blend`, its rankers and the baselines on the test part of `corpus`; `encode` gives unit vectors.

    `learnt` is what `blend` has learnt from. The test part must not be in it: this is the held-out blend, not the one
    that is released.
    """
    held_out = leave_one_out(corpus.test(), blend.names).evenly_spaced(MAX_CASES)
    if not len(held_out):
        return CompletionEvaluation(cases=0, candidates=len(blend.names))
    ranks = {name: ranks_of(scores, held_out) for name, scores in _all_scores(blend, learnt, encode, held_out)}
    return CompletionEvaluation(
        cases=len(held_out),
        candidates=len(blend.names),
        methods={name: ranking_figures(each) for name, each in ranks.items()},
        blend_against={name: hit_difference(ranks["blend"], each) for name, each in ranks.items() if name != "blend"},
    )


def _all_scores(
    blend: Blend, learnt: RecipeCorpus, encode: Encode, held_out: LeaveOneOut
) -> Iterator[tuple[str, Scores]]:
    """Scores (cases, items) of the blend, its rankers and the baselines, by name, one after the other."""
    nearest, untitled = blend.rankers.nearest, held_out.cases.untitled()
    texts = recipe_vectors(encode, learnt.titles, learnt.baskets)
    rankers: dict[str, Ranker] = {
        "cooccurrence": fit_cooccurrence(nearest.baskets),
        "nearest_title": replace(nearest, config=nearest.config.model_copy(update={"title_weight": 1.0})),
        "bert": NearestByText(encode, blend.names, texts, nearest.baskets),
        **blend.rankers.by_name(),
    }
    for name, ranker in rankers.items():
        yield name, ranker.scores(held_out.cases)
    yield "nearest_ingredients", nearest.scores(untitled)
    yield "blend_untitled", blend.batch(untitled)
    yield "blend", blend.batch(held_out.cases)
