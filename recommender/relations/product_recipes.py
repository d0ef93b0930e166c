"""Recipes to cook with a product."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.models.vector_index import IndexKind
from recommender.relations.members import Members
from recommender.relations.nearest import NearestTitles
from recommender.relations.pairs import Pairs, candidate_pairs, given_pairs, shared
from recommender.relations.space import (
    DRINK,
    NONFOOD,
    SNACK,
    SUPPLEMENT,
    UNKNOWN,
    ProductMatrix,
    RecipeMatrix,
    kind_columns,
    main_values,
)

# Signs that are weighed apart for products that somebody cooks with and for finished ones.
_SIGNS: Final = (
    "chars",
    "words",
    "vectors",
    "labels",
    "main",
    "importance",
    "other",
    "others",
    "named",
    "dish",
    "popularity",
)
FEATURES: Final = (
    "cooked",
    "no_ingredient",
    "is_ready",
    "is_snack",
    "is_drink",
    "is_supplement",
    *(f"cooked_{sign}" for sign in _SIGNS),
    *(f"finished_{sign}" for sign in _SIGNS),
)
# Recipes of an ingredient, most important first, and of a dish that are candidates whatever their titles.
OF_INGREDIENT: Final = 120
OF_DISH: Final = 100


@dataclass(frozen=True)
class ProductRecipes:
    """Candidates among ``recipes`` for products, and their features.

    ``index_kind``: what their titles are searched with, by default by their number.
    """

    recipes: RecipeMatrix
    index_kind: IndexKind | None = None

    feature_names: ClassVar[tuple[str, ...]] = FEATURES

    def candidates(self, queries: ProductMatrix) -> Pairs:
        """Recipes with near titles, with the product's ingredients, and of the dish that the product is.

        Nobody cooks with supplements, with what is no food, and with what is eaten as it is, whatever their titles say.
        """
        nothing = np.zeros(0, np.int32)
        others = [
            np.concatenate(
                [
                    nothing,
                    *self._by_ingredient.of_row(queries.ingredients, row),
                    *self._by_dish.of_row(queries.types, row),
                ]
            )
            for row in range(len(queries))
        ]
        pairs = candidate_pairs(queries, self._nearest, others)
        is_eaten = np.isin(queries.kinds, (SNACK, DRINK)) & (queries.recipes <= 0)
        is_cooked = ~np.isin(queries.kinds, (NONFOOD, SUPPLEMENT)) & ~is_eaten
        return pairs.where(is_cooked[pairs.queries])

    def pairs(self, queries: ProductMatrix, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
        """Given pairs of products and recipes."""
        return given_pairs(queries, self.recipes, rows, columns)

    def features(self, queries: ProductMatrix, pairs: Pairs) -> NDArray[np.float32]:
        """Features (pairs, FEATURES)."""
        importance = self.recipes.importance
        heads, kinds, mains = queries.heads[pairs.queries], queries.kinds[pairs.queries], queries.mains[pairs.queries]
        main = main_values(mains, importance[pairs.targets])
        marked = sp.csr_array((np.ones_like(importance.data), importance.indices, importance.indptr), importance.shape)
        holds = shared(queries.ingredients, marked, pairs.queries, pairs.targets)
        labels = shared(queries.labels, self.recipes.labels, pairs.queries, pairs.targets)
        sizes = np.diff(queries.ingredients.indptr)[pairs.queries]
        has_main = main > 0
        cooked = queries.recipes[pairs.queries]
        signs = {
            **pairs.columns(),
            "labels": labels,
            "main": has_main,
            "importance": main,
            "other": (holds > 0) & ~has_main,
            "others": (holds - has_main) / np.maximum(sizes - 1, 1),
            "named": main_values(mains, self.recipes.named[pairs.targets]) > 0,
            "dish": (heads == self.recipes.heads[pairs.targets]) & (heads != UNKNOWN),
            "popularity": self.recipes.popularity[pairs.targets],
        }
        columns = {
            "cooked": cooked,
            "no_ingredient": mains == UNKNOWN,
            **kind_columns(kinds),
            **{f"cooked_{name}": value * cooked for name, value in signs.items()},
            **{f"finished_{name}": value * (1 - cooked) for name, value in signs.items()},
        }
        return np.stack([np.asarray(columns[name], np.float32) for name in FEATURES], axis=1)

    @cached_property
    def _nearest(self) -> NearestTitles:
        return NearestTitles(self.recipes, self.index_kind)

    @cached_property
    def _by_ingredient(self) -> Members:
        return Members(self.recipes.importance, OF_INGREDIENT)

    @cached_property
    def _by_dish(self) -> Members:
        return Members(self.recipes.types, OF_DISH)
