"""The recipe corpus that models are trained and evaluated on, split by a fixed hash."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Recipes with a hash below FIT fit the models, up to TRAIN the blend's weights; the rest are the test part.
FIT: Final = 0.75
TRAIN: Final = 0.80


@dataclass(frozen=True)
class RecipeCorpus:
    """Recipes in id order: ids (n,), titles, distinct canonical ingredients as listed, popularity (n,) ≥ 0."""

    recipe_ids: NDArray[np.int64]
    titles: tuple[str, ...]
    baskets: tuple[tuple[str, ...], ...]
    popularity: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.recipe_ids)

    def part(self, rows: NDArray[np.intp]) -> "RecipeCorpus":
        """The recipes at `rows`."""
        return RecipeCorpus(
            self.recipe_ids[rows],
            tuple(self.titles[row] for row in rows),
            tuple(self.baskets[row] for row in rows),
            self.popularity[rows],
        )

    def fit(self) -> "RecipeCorpus":
        """The part that models are fitted on while the blend's weights are not yet known."""
        return self.part(np.flatnonzero(self._fractions() < FIT))

    def validation(self) -> "RecipeCorpus":
        """The part that the blend's weights are fitted on."""
        fractions = self._fractions()
        return self.part(np.flatnonzero((fractions >= FIT) & (fractions < TRAIN)))

    def train(self) -> "RecipeCorpus":
        """The part that released rankers are fitted on: all but the test part."""
        return self.part(np.flatnonzero(self._fractions() < TRAIN))

    def test(self) -> "RecipeCorpus":
        """The part that is used for evaluation only."""
        return self.part(np.flatnonzero(self._fractions() >= TRAIN))

    def ingredient_counts(self) -> Counter[str]:
        """Number of recipes of each ingredient."""
        return Counter(name for basket in self.baskets for name in basket)

    def frequent_ingredients(self, min_recipes: int = 5) -> tuple[str, ...]:
        """Ingredients of at least `min_recipes` recipes, most frequent first.

        Below 250 recipes a fiftieth of the recipes is enough, so that a small corpus has ingredients too.
        """
        counts = self.ingredient_counts()
        enough = max(1, min(min_recipes, len(self) // 50))
        return tuple(
            sorted((name for name, n in counts.items() if n >= enough), key=lambda name: (-counts[name], name))
        )

    def _fractions(self) -> NDArray[np.float64]:
        return np.array([hash_fraction("recipe", recipe_id) for recipe_id in self.recipe_ids.tolist()], np.float64)


def hash_fraction(purpose: str, key: int | str) -> float:
    """A fixed pseudo-random number in [0, 1) for `key`, independent between purposes."""
    digest = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def corpus_of(recipes: Iterable[tuple[int, str, float]], lines: Iterable[tuple[int, str]]) -> RecipeCorpus:
    """Corpus of (recipe id, title, popularity) and (recipe id, ingredient) rows; lines in listed order."""
    ordered = sorted(recipes)
    baskets: dict[int, dict[str, None]] = {recipe_id: {} for recipe_id, _, _ in ordered}
    for recipe_id, name in lines:
        baskets[recipe_id][name] = None
    return RecipeCorpus(
        np.array([recipe_id for recipe_id, _, _ in ordered], dtype=np.int64),
        tuple(title for _, title, _ in ordered),
        tuple(tuple(names) for names in baskets.values()),
        np.array([popularity for _, _, popularity in ordered], dtype=np.float32),
    )
