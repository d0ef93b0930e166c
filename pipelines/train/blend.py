"""Training of the blend: its weights are fitted on a part of the recipes that its rankers did not learn from."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from recommender.evaluation.leave_one_out import LeaveOneOut, leave_one_out
from recommender.evaluation.metrics import ranking_figures, ranks_of
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.blend import Blend, Rankers, fit_rankers, standardised
from recommender.rankers.cases import Ranker, Scores
from recommender.rankers.config import BlendConfig, BlendWeights, RankerWeights

# Used where there are too few recipes to fit weights.
DEFAULT_WEIGHTS: Final = BlendWeights(
    titled=RankerWeights(word2vec=0.5, title_ease=1.0), untitled=RankerWeights(ease=1.0, word2vec=0.5, nearest=0.5)
)
FIRST_STEP: Final = 0.5
LAST_STEP: Final = 0.1


def train_blend(corpus: RecipeCorpus, vectors: WordVectors, config: BlendConfig) -> Blend:
    """Fit the blend that is released: weights on the validation part, rankers on the training part of `corpus`.

    `vectors` must have been trained on the fitting part.
    """
    fitting, training = corpus.fit(), corpus.train()
    names = fitting.frequent_ingredients()
    draft = fit_rankers(fitting, names, vectors, config)
    weights = fit_weights(draft, leave_one_out(corpus.validation(), names, every=True), config.max_weight_cases)
    names = training.frequent_ingredients()
    return Blend(names, fit_rankers(training, names, vectors, config), weights, config)


def fit_weights(rankers: Rankers, held_out: LeaveOneOut, max_cases: int) -> BlendWeights:
    """Weights that rank the held-out items best, on evenly spaced cases; DEFAULT_WEIGHTS without cases."""
    if not len(held_out):
        return DEFAULT_WEIGHTS
    cases = held_out.evenly_spaced(max_cases)
    titled, untitled = (_coordinate_ascent(rankers.by_name(), each) for each in (cases, cases.untitled()))
    return BlendWeights(titled=titled, untitled=untitled)


def _coordinate_ascent(rankers: Mapping[str, Ranker], held_out: LeaveOneOut) -> RankerWeights:
    """Start from the best single ranker, and halve the step until no change of a weight improves the figures."""
    scores = {name: standardised(ranker.scores(held_out.cases), held_out.cases) for name, ranker in rankers.items()}
    objectives = {name: _objective(each, held_out) for name, each in scores.items()}
    first = max(objectives, key=lambda name: objectives[name])
    weights = {name: float(name == first) for name in scores}
    total, best, step = scores[first].copy(), objectives[first], FIRST_STEP
    while step >= LAST_STEP:
        improved = False
        for name, change in ((name, change) for name in scores for change in (step, -step)):
            if weights[name] + change < 0:
                continue
            changed = total + np.float32(change) * scores[name]
            if (reached := _objective(changed, held_out)) > best:
                total, best, improved = changed, reached, True
                weights[name] += change
        if not improved:
            step /= 2
    return RankerWeights.model_validate(weights)


def _objective(scores: Scores, held_out: LeaveOneOut) -> float:
    """The sum of hit@10, hit@50 and mean reciprocal rank."""
    figures = ranking_figures(ranks_of(scores, held_out))
    return figures.hit_at_10 + figures.hit_at_50 + figures.mrr
