"""Products that a customer would take in place of another one, or buy as an ingredient.

An ingredient is asked for like a product that consists of it (:func:`~recommender.relations.facts.as_product`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.models.vector_index import IndexKind
from recommender.relations.members import Members, one_label, scaled
from recommender.relations.nearest import NearestTitles
from recommender.relations.pairs import Pairs, candidate_pairs, given_pairs, shared
from recommender.relations.space import NONFOOD, UNKNOWN, ProductMatrix, kind_columns, main_values

FEATURES: Final = (
    "chars",
    "words",
    "vectors",
    "labels",
    "same_type",
    "types_shared",
    "same_shelf",
    "same_department",
    "other_department",
    "ingredients_shared",
    "same_main",
    "main_listed",
    "same_kind",
    "is_ingredient",
    "is_ready",
    "is_snack",
    "is_drink",
    "is_supplement",
    "unknown_query",
    "unknown_target",
    "both_gifts",
    "popularity",
    "chars_of_type",
    "chars_of_shelf",
)
# Products of the same type and on the same shelf that are candidates whatever their titles.
OF_TYPE: Final = 100
OF_SHELF: Final = 100
OF_MAIN: Final = 60


@dataclass(frozen=True)
class SimilarProducts:
    """Candidates among ``targets`` and their features.

    ``index_kind``: what their titles are searched with, by default by their number.
    """

    targets: ProductMatrix
    index_kind: IndexKind | None = None

    feature_names: ClassVar[tuple[str, ...]] = FEATURES

    def candidates(self, queries: ProductMatrix) -> Pairs:
        """Targets with near titles, of the same types, on the same shelf or of the same main ingredient.

        Food and what nobody eats are never alike, however alike their titles are.
        """
        others = [
            np.concatenate(
                [
                    *self._by_type.of_row(queries.types, row),
                    self._by_shelf.of(int(queries.shelves[row])),
                    self._by_main.of(int(queries.mains[row])),
                ]
            )
            for row in range(len(queries))
        ]
        pairs = candidate_pairs(queries, self._nearest, others)
        kinds, target_kinds = queries.kinds[pairs.queries], self.targets.kinds[pairs.targets]
        return pairs.where((kinds == NONFOOD) == (target_kinds == NONFOOD))

    def pairs(self, queries: ProductMatrix, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
        """Given pairs of queries and targets."""
        return given_pairs(queries, self.targets, rows, columns)

    def features(self, queries: ProductMatrix, pairs: Pairs) -> NDArray[np.float32]:
        """Features (pairs, FEATURES)."""
        targets, rows, chosen = self.targets, pairs.queries, pairs.targets
        heads, shelves, mains = queries.heads[rows], queries.shelves[rows], queries.mains[rows]
        departments, other_departments = queries.departments[rows], targets.departments[chosen]
        same_type = _same(heads, targets.heads[chosen])
        same_shelf = _same(shelves, targets.shelves[chosen])
        both_known = (departments != UNKNOWN) & (other_departments != UNKNOWN)
        columns = {
            **pairs.columns(),
            "labels": shared(queries.labels, targets.labels, rows, chosen),
            "same_type": same_type,
            "types_shared": _overlap(queries.types, targets.types, pairs),
            "same_shelf": same_shelf,
            "same_department": _same(departments, other_departments),
            "other_department": both_known & (departments != other_departments),
            "ingredients_shared": _overlap(queries.ingredients, targets.ingredients, pairs),
            "same_main": _same(mains, targets.mains[chosen]),
            "main_listed": main_values(mains, targets.ingredients[chosen]) > 0,
            "same_kind": queries.kinds[rows] == targets.kinds[chosen],
            **kind_columns(targets.kinds[chosen]),
            "unknown_query": heads == UNKNOWN,
            "unknown_target": targets.heads[chosen] == UNKNOWN,
            "both_gifts": queries.gifts[rows] * targets.gifts[chosen],
            "popularity": targets.popularity[chosen],
            "chars_of_type": pairs.chars * same_type,
            "chars_of_shelf": pairs.chars * same_shelf,
        }
        return np.stack([np.asarray(columns[name], np.float32) for name in FEATURES], axis=1)

    @cached_property
    def _nearest(self) -> NearestTitles:
        return NearestTitles(self.targets, self.index_kind)

    @cached_property
    def _by_type(self) -> Members:
        return Members(scaled(self.targets.types, 1 + self.targets.popularity), OF_TYPE)

    @cached_property
    def _by_shelf(self) -> Members:
        return Members(one_label(self.targets.shelves, 1 + self.targets.popularity), OF_SHELF)

    @cached_property
    def _by_main(self) -> Members:
        return Members(one_label(self.targets.mains, 1 + self.targets.popularity), OF_MAIN)


def _same(left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.asarray((left == right) & (left != UNKNOWN), np.bool_)


def _overlap(left: sp.csr_array, right: sp.csr_array, pairs: Pairs) -> NDArray[np.float32]:
    """Jaccard similarity of the marks of each pair."""
    both = shared(left, right, pairs.queries, pairs.targets)
    sizes = np.diff(left.indptr)[pairs.queries] + np.diff(right.indptr)[pairs.targets]
    return np.asarray(both / np.maximum(sizes - both, 1), np.float32)
