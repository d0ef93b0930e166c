"""Ingredients of each recipe by number, and their inverse document frequency."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Baskets:
    """Ingredients of recipes by number: those of recipe r are ``ingredients[starts[r]:starts[r + 1]]``, as listed."""

    starts: NDArray[np.int64]
    ingredients: NDArray[np.int32]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Baskets":
        """Baskets from lists of ingredient numbers."""
        starts = np.concatenate([[0], np.cumsum([len(numbers) for numbers in lists], dtype=np.int64)])
        flat = np.array([number for numbers in lists for number in numbers], dtype=np.int32)
        return cls(starts.astype(np.int64), flat)

    def save(self, path: Path) -> None:
        """Write both arrays to the .npz file ``path``."""
        np.savez(path, starts=self.starts, ingredients=self.ingredients)

    @classmethod
    def load(cls, path: Path) -> "Baskets":
        """Read the file that :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["starts"], arrays["ingredients"])

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of_recipe(self, row: int) -> NDArray[np.int32]:
        """Ingredient numbers of a recipe, as listed."""
        return self.ingredients[self.starts[row] : self.starts[row + 1]]

    def recipes_by_ingredient(self, vocabulary: int) -> list[NDArray[np.int32]]:
        """Rows of the recipes that contain each of ``vocabulary`` ingredients, ascending."""
        recipes = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))
        order = np.argsort(self.ingredients, kind="stable")
        bounds = np.searchsorted(self.ingredients[order], np.arange(vocabulary + 1))
        return [recipes[order[bounds[i] : bounds[i + 1]]] for i in range(vocabulary)]

    def idf(self, vocabulary: int) -> NDArray[np.float32]:
        """Inverse document frequency (vocabulary,): log((1 + recipes) / (1 + recipes with the ingredient)) + 1."""
        counts = np.bincount(self.ingredients, minlength=vocabulary)
        frequency: NDArray[np.float32] = (np.log((1 + len(self)) / (1 + counts)) + 1).astype(np.float32)
        return frequency
