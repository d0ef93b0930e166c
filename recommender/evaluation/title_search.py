"""Evaluation of a text encoder: does a recipe's title find its ingredients?"""

import numpy as np

from recommender.evaluation.encoder import searchable_lists
from recommender.evaluation.results import TitleSearchFigures
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import Encode
from recommender.text.titles import plain


def evaluate_title_search(corpus: RecipeCorpus, encode: Encode, min_ingredients: int = 4) -> TitleSearchFigures:
    """Search each title among the ingredient lists of `corpus`: share in the first ten, and mean reciprocal rank.

    Recipes with fewer ingredients, and all but the last of those with the same list, are left out.
    """
    lists = searchable_lists(corpus, min_ingredients)
    if not lists:
        return TitleSearchFigures(recipes=0, recall_at_10=0.0, mrr=0.0)
    cosines = encode([plain(corpus.titles[row]) for row in lists.values()]) @ encode(list(lists)).T
    ranks = 1 + (cosines > np.diagonal(cosines)[:, None]).sum(axis=1)
    return TitleSearchFigures(
        recipes=len(ranks), recall_at_10=float((ranks <= 10).mean()), mrr=float((1 / ranks).mean())
    )
