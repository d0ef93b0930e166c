"""Evaluation of recipe completion: the rank of an ingredient held out of recipes that no model has learnt from.

Every item that is not given is ranked, never a sample, and every method answers the same cases.
"""

from dataclasses import replace

from recommender.evaluation.leave_one_out import LeaveOneOut, leave_one_out
from recommender.evaluation.metrics import hit_difference, ranking_figures, ranks_of
from recommender.evaluation.results import CompletionEvaluation
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import Encode, NearestByText, recipe_vectors
from recommender.rankers.blend import Blend
from recommender.rankers.cases import Ranker, Scores
from recommender.rankers.item_knn import fit_cooccurrence, fit_popularity


def evaluate_completion(blend: Blend, corpus: RecipeCorpus, encode: Encode) -> CompletionEvaluation:
    """Compare `blend`, its rankers and the baselines on the test part of `corpus`; `encode` gives unit vectors."""
    held_out = leave_one_out(corpus.test(), blend.names)
    if not len(held_out):
        return CompletionEvaluation(cases=0, candidates=len(blend.names))
    ranks = {name: ranks_of(scores, held_out) for name, scores in _all_scores(blend, corpus.train(), encode, held_out)}
    return CompletionEvaluation(
        cases=len(held_out),
        candidates=len(blend.names),
        methods={name: ranking_figures(each) for name, each in ranks.items()},
        blend_against={name: hit_difference(ranks["blend"], each) for name, each in ranks.items() if name != "blend"},
    )


def _all_scores(blend: Blend, corpus: RecipeCorpus, encode: Encode, held_out: LeaveOneOut) -> list[tuple[str, Scores]]:
    """Scores (cases, items) of the blend, its rankers and the baselines, by name."""
    nearest, untitled = blend.rankers.nearest, held_out.cases.untitled()
    texts = recipe_vectors(encode, corpus.titles, corpus.baskets)
    rankers: dict[str, Ranker] = {
        "popularity": fit_popularity(nearest.baskets),
        "cooccurrence": fit_cooccurrence(nearest.baskets),
        "nearest_title": replace(nearest, config=nearest.config.model_copy(update={"title_weight": 1.0})),
        "bert": NearestByText(encode, blend.names, texts, nearest.baskets),
        **blend.rankers.by_name(),
    }
    return [
        *((name, ranker.scores(held_out.cases)) for name, ranker in rankers.items()),
        ("nearest_ingredients", nearest.scores(untitled)),
        ("blend_untitled", blend.batch(untitled)),
        ("blend", blend.batch(held_out.cases)),
    ]
