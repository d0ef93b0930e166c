"""Learning of the weights that rank substitutes, from graded pairs of ingredients."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recommender.rankers.substitute_features import FEATURES, Matrix, SubstituteFeatures, WrittenNames
from recommender.rankers.substitutes import Logistic, SubstituteWeights

# A prior variance of each weight of a feature with deviation 1: few pairs are graded.
PRIOR_VARIANCE: Final = 0.3
MIN_PROBABILITY: Final = 0.5
# Whatever the pairs say, nothing else that speaks for a substitute may count against it.
AGAINST: Final = frozenset({"together"})
EITHER_WAY: Final = frozenset({"popularity"})

Grades = Mapping[str, Mapping[str, int]]


def read_grades(paths: Sequence[Path]) -> dict[str, dict[str, int]]:
    """Grades by ingredient and substitute, of lines ``ingredient<TAB>ingredient:substitute<TAB>grade``.

    Of a pair that is graded twice the first grade counts.
    """
    grades: dict[str, dict[str, int]] = {}
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                name, substitute, grade = line.split("\t")
                grades.setdefault(name, {}).setdefault(substitute.removeprefix("ingredient:"), int(grade))
            except ValueError:
                raise ValueError(
                    f"{path}, line {number}: expected ingredient, substitute and grade, got {line!r}"
                ) from None
    return grades


def learn_weights(
    features: SubstituteFeatures, names: WrittenNames, grades: Grades, learnt_from: str
) -> SubstituteWeights:
    """Weights under which good and acceptable substitutes have a high probability; pairs of other names are skipped."""
    rows = {name: row for row, name in enumerate(names.names)}
    inputs: list[Matrix] = []
    levels: list[int] = []
    for name, substitutes in grades.items():
        known = {rows[other]: grade for other, grade in substitutes.items() if other in rows and other != name}
        if name in rows and known:
            inputs.append(features.of(rows[name])[list(known)])
            levels += known.values()
    if not inputs:
        raise ValueError("no graded pair is of ingredients that the recipes use: import the recipes that were graded")
    pairs, graded = np.concatenate(inputs).astype(np.float64), np.array(levels)
    return SubstituteWeights(
        learnt_from=learnt_from,
        min_probability=MIN_PROBABILITY,
        acceptable=_logistic(pairs, graded >= 1),
        good=_logistic(pairs, graded >= 2),
    )


def _logistic(features: NDArray[np.float64], accepted: NDArray[np.bool_]) -> Logistic:
    """Logistic regression with a normal prior, each weight on its side of zero."""
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    scaled, sign = (features - mean) / deviation, np.where(accepted, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (scaled @ parameters[1:] + parameters[0])
        slope = -sign / (1 + np.exp(margin))
        penalty = parameters[1:] / PRIOR_VARIANCE
        value = np.logaddexp(0, -margin).sum() + 0.5 * float(parameters[1:] @ penalty)
        return value, np.concatenate([[slope.sum()], scaled.T @ slope + penalty])

    bounds = [(None, None), *(_bounds(name) for name in FEATURES)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = found[1:] / deviation
    return Logistic(
        intercept=round(float(found[0] - weights @ mean), 3),
        weights={name: round(float(weight), 3) for name, weight in zip(FEATURES, weights, strict=True)},
    )


def _bounds(name: str) -> tuple[float | None, float | None]:
    if name in EITHER_WAY:
        return None, None
    return (None, 0.0) if name in AGAINST else (0.0, None)
