"""Training of the blend: weights are fitted, and figures measured, on recipes that its rankers did not learn from.

What is released has the same weights; its rankers are fitted again on every recipe.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recommender.evaluation.leave_one_out import LeaveOneOut, leave_one_out
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.blend import Blend, Rankers, compare_items, fit_rankers
from recommender.rankers.config import BlendConfig, BlendWeights, RankerWeight, RankerWeights

# Used where there are too few recipes to fit weights.
DEFAULT_WEIGHTS: Final = BlendWeights(
    titled=RankerWeights(word2vec=RankerWeight(standardised=0.5), title_ease=RankerWeight(standardised=1.0)),
    untitled=RankerWeights(
        ease=RankerWeight(standardised=1.0),
        word2vec=RankerWeight(standardised=0.5),
        nearest=RankerWeight(standardised=0.5),
    ),
)
MIN_WEIGHT_CASES: Final = 100
# Penalty of the squared weights of features with deviation 1.
PENALTY: Final = 1e-3
MAX_STEPS: Final = 200


def train_blend(corpus: RecipeCorpus, vectors: WordVectors, config: BlendConfig) -> Blend:
    """The blend that figures are measured with: rankers of the fitting part, weights of the validation part.

    `vectors` must have been trained on the fitting part.
    """
    fitting = corpus.fit()
    names = fitting.frequent_ingredients()
    rankers = fit_rankers(fitting, names, vectors, config)
    held_out = leave_one_out(corpus.validation(), names, every=True).evenly_spaced(config.max_weight_cases)
    return Blend(names, rankers, fit_weights(rankers, held_out, config.compared), config)


def refit_blend(blend: Blend, corpus: RecipeCorpus, vectors: WordVectors) -> Blend:
    """The blend that is released: the weights and parameters of `blend`, rankers of all of `corpus`."""
    names = corpus.frequent_ingredients()
    return Blend(names, fit_rankers(corpus, names, vectors, blend.config), blend.weights, blend.config)


def fit_weights(rankers: Rankers, held_out: LeaveOneOut, compared: int) -> BlendWeights:
    """Weights under which the held-out items are the most likely of the `compared` ones; DEFAULT_WEIGHTS for few."""
    if len(held_out) < MIN_WEIGHT_CASES:
        return DEFAULT_WEIGHTS
    titled, untitled = (_likeliest_weights(rankers, each, compared) for each in (held_out, held_out.untitled()))
    return BlendWeights(titled=titled, untitled=untitled)


def _likeliest_weights(rankers: Rankers, held_out: LeaveOneOut, compared: int) -> RankerWeights:
    """A softmax over the compared items of each case, as a linear function of their features."""
    chunks = list(compare_items(rankers.by_name(), held_out.cases, compared))
    features = np.concatenate([chunk.features for chunk in chunks])
    is_held_out = np.concatenate([chunk.items for chunk in chunks]) == held_out.items[:, None]
    found = is_held_out.any(axis=1)
    features, place = features[found], is_held_out[found].argmax(axis=1)
    if not len(features):
        return DEFAULT_WEIGHTS.titled
    deviation = features.std(axis=(0, 1), dtype=np.float64)
    informative = deviation > 1e-4
    scale = np.where(informative, deviation, 1.0).astype(np.float32)
    weights = np.where(informative, _softmax_weights(features / scale, place) / scale, 0.0).round(3).tolist()
    names = RankerWeights.model_fields
    pairs = zip(weights[::2], weights[1::2], strict=True)
    return RankerWeights.model_validate(
        {n: RankerWeight(standardised=s, logarithm=log) for n, (s, log) in zip(names, pairs, strict=True)}
    )


def _softmax_weights(features: NDArray[np.float32], place: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weights of features (cases, n, f) that minimise the cross-entropy of the item at `place` (cases,)."""
    rows = np.arange(len(features))
    own = features[rows, place]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = features @ weights.astype(np.float32)
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = exponents / exponents.sum(axis=1, keepdims=True)
        value = -np.log(np.maximum(shares[rows, place], 1e-30)).mean() + PENALTY * float(weights @ weights)
        expected = np.einsum("ci,cif->f", shares, features) / len(features)
        return value, (expected - own.mean(axis=0) + 2 * PENALTY * weights).astype(np.float64)

    start = np.zeros(features.shape[2])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS})
    return np.asarray(found.x, np.float64)
