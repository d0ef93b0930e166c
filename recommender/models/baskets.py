"""Which recipe holds which ingredient, and how much each ingredient says."""

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
        """Baskets of lists of ingredient numbers."""
        starts = np.concatenate([[0], np.cumsum([len(numbers) for numbers in lists], dtype=np.int64)])
        flat = np.array([number for numbers in lists for number in numbers], dtype=np.int32)
        return cls(starts.astype(np.int64), flat)

    def save(self, folder: Path) -> None:
        """Write the two arrays into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "starts.npy", self.starts)
        np.save(folder / "ingredients.npy", self.ingredients)

    @classmethod
    def load(cls, folder: Path) -> "Baskets":
        """Read what :meth:`save` wrote."""
        return cls(np.load(folder / "starts.npy"), np.load(folder / "ingredients.npy"))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of_recipe(self, row: int) -> NDArray[np.int32]:
        """Ingredient numbers of a recipe, as listed."""
        return self.ingredients[self.starts[row] : self.starts[row + 1]]

    def holders(self, vocabulary: int) -> list[NDArray[np.int32]]:
        """For each of ``vocabulary`` ingredients the rows of the recipes that hold it, ascending."""
        owners = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))
        order = np.argsort(self.ingredients, kind="stable")
        bounds = np.searchsorted(self.ingredients[order], np.arange(vocabulary + 1))
        return [owners[order[bounds[i] : bounds[i + 1]]] for i in range(vocabulary)]

    def information(self, vocabulary: int) -> NDArray[np.float32]:
        """Inverse document frequency of each ingredient: log((1 + recipes) / (1 + holders)) + 1."""
        counts = np.bincount(self.ingredients, minlength=vocabulary)
        frequency: NDArray[np.float32] = (np.log((1 + len(self)) / (1 + counts)) + 1).astype(np.float32)
        return frequency
