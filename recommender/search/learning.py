"""Learn how search ranks from judged answers, with cross-validation by query."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.search.weights import FEATURES, Weights

FOLDS: Final = 5
SHOWN: Final = 5
# Share of a positive example that a document of a grade is: wrong, acceptable, right.
_POSITIVE: Final = np.array([0.0, 0.5, 1.0])
_REGULARISATION: Final = (0.1, 0.3, 1.0, 3.0)
_THRESHOLDS: Final = (-2.5, -1.5, -1.0, -0.5, 0.0)
_MARGINS: Final = (2.0, 2.5, 3.0, 4.0)
_LETTERS, _TOKENS = (4.0, 2.0, 1.0), (0.5, 0.0, 1.0)
# Features that count against a document, and those that may count either way; all others count for it.
AGAINST: Final = frozenset(
    {"key_aside", "key_taste", "other_made", "other_raw", "modifier", "absent", "other_form", "other_dish"}
)
# Least weights: most judged queries have one word, so they tell little about the others.
LEAST: Final = {"others": 0.5}
FREE: Final = frozenset({"bias", "key_starts", "key_use", "raw", "dish"})
# Settings that differ by less are about as good: less than a standard error over 60 queries.
_NEAR: Final = 0.01
# What is shown although it is wrong costs more than the share of it that is bearable.
_WRONG_COST, _BEARABLE = 1.0, 0.05


class JudgedQuery(NamedTuple):
    """The candidates of a query: features (n, features), and grades (n,) of 0 to 2, -1 where nobody has graded one.

    ``grades`` of the query are all that are known, also of documents that are no candidates.
    """

    features: NDArray[np.float32]
    candidate_grades: NDArray[np.int64]
    grades: Sequence[int]


@dataclass(frozen=True)
class Figures:
    """Over queries: nDCG of the first five judged answers, and the share of wrong ones among them."""

    ndcg: float
    wrong: float
    unjudged: float

    @property
    def value(self) -> float:
        """What is maximised."""
        return self.ndcg - _WRONG_COST * max(0.0, self.wrong - _BEARABLE)


def learn(queries: Sequence[JudgedQuery], seed: int = 3) -> tuple[Weights, Figures]:
    """Choose the settings by cross-validation, then fit all queries; the figures are those of the validation.

    Of settings that are about as good, those are taken that let the letters decide most.
    """
    if len(queries) < FOLDS:
        raise ValueError(f"{len(queries)} judged queries are too few to learn from: give {FOLDS} or more")
    folds = np.random.default_rng(seed).permutation(len(queries)) % FOLDS
    split = list(zip(queries, folds.tolist(), strict=True))
    fitted = {
        strength: [_fit([query for query, of in split if of != fold], strength) for fold in range(FOLDS)]
        for strength in _REGULARISATION
    }
    tried = []
    for letters, tokens, strength, threshold, margin in product(
        _LETTERS, _TOKENS, _REGULARISATION, _THRESHOLDS, _MARGINS
    ):
        order = {"letters": letters, "tokens": tokens}
        weights = [Weights(relevance, order, threshold, margin) for relevance in fitted[strength]]
        tried.append((evaluate((query, weights[of]) for query, of in split), strength, weights[0]))
    least = max(figures.value for figures, _, _ in tried) - _NEAR
    figures, strength, chosen = next(each for each in tried if each[0].value >= least)
    return Weights(_fit(queries, strength), chosen.order, chosen.threshold, chosen.margin), figures


def evaluate(ranked: Iterable[tuple[JudgedQuery, Weights]]) -> Figures:
    """Judge the first five answers to each query by the weights beside it."""
    gains, wrong = [], []
    shown = 0
    for query, weights in ranked:
        grades = query.candidate_grades[weights.rank(query.features)[:SHOWN]]
        judged = grades[grades >= 0].tolist()
        shown += len(grades)
        wrong += [grade == 0 for grade in judged]
        highest = _gain(sorted(query.grades, reverse=True))
        if highest:
            gains.append(_gain(judged) / highest)
    return Figures(
        ndcg=sum(gains) / max(len(gains), 1),
        wrong=sum(wrong) / max(len(wrong), 1),
        unjudged=1 - len(wrong) / max(shown, 1),
    )


def _fit(queries: Sequence[JudgedQuery], strength: float) -> Mapping[str, float]:
    """Logistic regression over the graded candidates; the more a query has, the less each counts.

    Agreement never counts against a document, and disagreement never for it, whatever a few queries say.
    """
    rows, shares, importance = [], [], []
    for query in queries:
        graded = query.candidate_grades >= 0
        if graded.any():
            rows.append(query.features[graded].astype(np.float64))
            shares.append(_POSITIVE[query.candidate_grades[graded]])
            importance.append(np.full(graded.sum(), 1 / math.sqrt(graded.sum())))
    features, share, weight = np.concatenate(rows), np.concatenate(shares), np.concatenate(importance)
    weight /= weight.mean()
    penalised = np.array([name != "bias" for name in FEATURES]) / strength

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = features @ values
        cost = weight @ (np.logaddexp(0, odds) - share * odds) + penalised @ values**2 / 2
        return float(cost), features.T @ (weight * (expit(odds) - share)) + penalised * values

    bounds = [
        (None, None) if name in FREE else (None, 0) if name in AGAINST else (LEAST.get(name, 0), None)
        for name in FEATURES
    ]
    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: round(float(value), 3) for name, value in zip(FEATURES, found.x, strict=True)}


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:SHOWN]))
