"""Substitutes of an ingredient, ranked by learnt weights of what speaks for each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from recommender.models.neighbours import NeighbourTable
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.substitute import Relation, Substitute
from recommender.rankers.substitute_features import (
    FEATURES,
    EaseWeights,
    Matrix,
    SubstituteFeatures,
    WrittenNames,
    written_names,
)
from recommender.rankers.substitute_groups import squeezed_name, substitute_groups
from recommender.text.ingredients import canonical_name

# Names that fewer recipes use are more often a slip of the pen; of a small corpus, a five-hundredth is enough.
MIN_RECIPES: Final = 10
KEPT: Final = 20
_WEIGHTS: Final = Path(__file__).with_name("substitute_weights.json")


_RELATIONS: Final = tuple(Relation)


class Logistic(BaseModel):
    """A logistic regression over FEATURES, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intercept: float
    weights: dict[str, float]

    def probability(self, features: Matrix) -> NDArray[np.float64]:
        """Probability (names,) by features (names, FEATURES)."""
        weights = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        result: NDArray[np.float64] = 1 / (1 + np.exp(-(features @ weights + self.intercept)))
        return result


class SubstituteWeights(BaseModel):
    """Weights for a substitute that is `acceptable`, and for one that is `good`; `learnt_from` says from what.

    Nothing is shown whose probability of being acceptable is below `min_probability`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learnt_from: str
    min_probability: float
    acceptable: Logistic
    good: Logistic

    def rank(self, features: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """By features (names, FEATURES): the expected use of each name, good ones thrice; and its probability."""
        acceptable = self.acceptable.probability(features)
        return acceptable + 2 * self.good.probability(features), acceptable


@dataclass(frozen=True)
class Substitutes:
    """Substitutes of `names` as recipes write them: rows of `table`, whose reasons are numbers of a Relation."""

    names: tuple[str, ...]
    table: NeighbourTable

    def of(self, written: str, k: int) -> list[Substitute]:
        """At most `k` substitutes of an ingredient in any spelling, best first; none for an unknown one."""
        row = self._row_of(written)
        if row is None:
            return []
        neighbours = self.table.of_row(row, k)
        return [Substitute(self.names[name], score, _RELATIONS[relation]) for name, score, relation in neighbours]

    def _row_of(self, written: str) -> int | None:
        """The row of a name as it is written, else of what it means, else of its ingredient."""
        spellings = (written, substitute_groups().thing_of(written), canonical_name(written) or written)
        return next((self._rows[name] for name in map(squeezed_name, spellings) if name in self._rows), None)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {squeezed_name(name): row for row, name in enumerate(self.names)}


def default_weights() -> SubstituteWeights:
    """The weights that are kept beside this module."""
    return SubstituteWeights.model_validate(json.loads(_WEIGHTS.read_text(encoding="utf-8")))


def fit_substitutes(
    written: RecipeCorpus, vectors: WordVectors, ease: EaseWeights, weights: SubstituteWeights
) -> Substitutes:
    """Rank the substitutes of every name that recipes use often, in a corpus with names as `written`.

    `vectors` and `ease` are of canonical names.
    """
    names = written_names(written, max(1, min(MIN_RECIPES, len(written) // 500)))
    if not len(names):
        return Substitutes((), NeighbourTable.of([], KEPT))
    features = SubstituteFeatures(written, names, vectors, ease)
    lists = [list(rank_substitutes(number, features.of(number), names, weights)) for number in range(len(names))]
    return Substitutes(names.names, NeighbourTable.of(lists, KEPT))


def rank_substitutes(
    number: int, features: Matrix, names: WrittenNames, weights: SubstituteWeights
) -> Iterator[tuple[int, float, int]]:
    """(name, probability, relation) of the substitutes of name `number`, best first.

    Of another ingredient the best name is shown, of the same ingredient that of each kind.
    """
    ranking, probabilities = weights.rank(features)
    spelling, shown = squeezed_name(names.names[number]), set[str]()
    acceptable = np.flatnonzero(probabilities >= weights.min_probability)
    for row in acceptable[np.argsort(-ranking[acceptable], kind="stable")].tolist():
        relation = _relation(number, row, names)
        what = (names.ingredients if relation == Relation.SUBSTITUTE else names.things)[row]
        if what not in shown and squeezed_name(names.names[row]) != spelling:
            shown.add(what)
            yield row, float(probabilities[row]), _RELATIONS.index(relation)


def _relation(number: int, row: int, names: WrittenNames) -> Relation:
    if names.things[row] == names.things[number]:
        return Relation.OTHER_NAME
    return Relation.VARIETY if names.ingredients[row] == names.ingredients[number] else Relation.SUBSTITUTE
