"""Leave-one-out cases: recipes with one ingredient held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.models.recipe_corpus import RecipeCorpus, hash_fraction
from recommender.rankers.cases import Cases, basket_matrix


@dataclass(frozen=True)
class LeaveOneOut:
    """Cases, and the number of the item (cases,) held out of each."""

    cases: Cases
    items: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.items)

    def evenly_spaced(self, at_most: int) -> "LeaveOneOut":
        """At most so many of the cases, evenly spaced."""
        rows = np.arange(0, len(self), max(1, -(-len(self) // at_most)))
        titles = tuple(self.cases.titles[row] for row in rows)
        return LeaveOneOut(Cases(self.cases.given[rows], titles), self.items[rows])

    def untitled(self) -> "LeaveOneOut":
        """The same cases without their titles."""
        return LeaveOneOut(self.cases.untitled(), self.items)


def leave_one_out(
    corpus: RecipeCorpus, names: Sequence[str], *, every: bool = False, min_ingredients: int = 4
) -> LeaveOneOut:
    """Hold out one of `names` of each recipe with at least `min_ingredients` of them, chosen by a fixed hash.

    With `every`, each ingredient is held out in turn.
    """
    numbers = {name: number for number, name in enumerate(names)}
    given: list[list[int]] = []
    titles: list[str] = []
    items: list[int] = []
    for recipe_id, title, basket in zip(corpus.recipe_ids.tolist(), corpus.titles, corpus.baskets, strict=True):
        known = [numbers[name] for name in basket if name in numbers]
        if len(known) < min_ingredients:
            continue
        for position in range(len(known)) if every else [int(hash_fraction("hide", recipe_id) * len(known))]:
            given.append(sorted(known[:position] + known[position + 1 :]))
            titles.append(title)
            items.append(known[position])
    return LeaveOneOut(Cases(basket_matrix(given, len(names)), tuple(titles)), np.array(items, dtype=np.intp))
