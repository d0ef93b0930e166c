"""A ranker of candidates: two logistic regressions over few named features, small enough to read."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from recommender.relations.relation import Relation

DEFAULTS: Final = Path(__file__).with_name("weights.toml")


class Weights(BaseModel):
    """Weights of a logistic regression by feature name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bias: float
    features: dict[str, float]

    def probability(self, names: Sequence[str], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (pairs,) from features (pairs, features) in the order of ``names``."""
        weights = np.array([self.features.get(name, 0.0) for name in names], np.float32)
        return np.asarray(1 / (1 + np.exp(-(values @ weights + np.float32(self.bias)))), np.float32)


class Ranker(BaseModel):
    """Ranks the candidates of one relation.

    ``acceptable`` gives the probability that nobody would complain about a candidate, ``good`` that a customer is glad
    of it. Candidates below ``threshold`` by the first are not shown; the others are ranked by the expected gain, which
    is 1 for an acceptable and 3 for a good one, as in nDCG.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learnt_from: str
    threshold: float
    acceptable: Weights
    good: Weights

    def score(self, names: Sequence[str], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Expected gain (pairs,) in 0 … 3; -inf for a pair below the threshold."""
        acceptable, good = self.acceptable.probability(names, values), self.good.probability(names, values)
        return expected_gain(acceptable, good, self.threshold)


def expected_gain(acceptable: NDArray[np.float32], good: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Expected gain (pairs,) from the two probabilities; -inf where the first is below ``threshold``."""
    return np.where(acceptable >= threshold, (acceptable + 2 * good).astype(np.float32), np.float32(-np.inf))


class Rankers(BaseModel):
    """The ranker of each relation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rankers: dict[Relation, Ranker]

    def __getitem__(self, relation: Relation) -> Ranker:
        return self.rankers[relation]


def read_rankers(path: Path = DEFAULTS) -> Rankers:
    """Read rankers from a TOML file; those of the project by default."""
    return Rankers.model_validate({"rankers": tomllib.loads(path.read_text(encoding="utf-8"))})


def to_toml(rankers: Mapping[Relation, Ranker]) -> str:
    """The text that :func:`read_rankers` reads."""
    lines: list[str] = []
    for relation, ranker in rankers.items():
        lines += [f"[{relation}]", f'learnt_from = "{ranker.learnt_from}"', f"threshold = {ranker.threshold:g}", ""]
        for part, weights in (("acceptable", ranker.acceptable), ("good", ranker.good)):
            lines += [f"[{relation}.{part}]", f"bias = {weights.bias:.3f}", f"[{relation}.{part}.features]"]
            lines += [f"{name} = {value:.3f}" for name, value in weights.features.items()] + [""]
    return "\n".join(lines)
