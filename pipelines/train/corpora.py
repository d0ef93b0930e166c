"""The recipe corpus: what models learn from, frozen as a dataset snapshot and split by a fixed hash."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from artifacts.datasets import read_snapshot, write_snapshot
from artifacts.store import Store
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient

DATASET: Final = "recipes"
# Shares of recipes by hash: models are fitted on the first part, ranker weights on the second, figures on the rest.
FIT: Final = 0.75
TRAIN: Final = 0.80
SEEN: Final = 5


class EmptyCorpus(ValueError):
    """There is nothing to learn from; the message says what to load."""


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
        """What models that are still to be weighed learn from."""
        return self.part(np.flatnonzero(self._shares() < FIT))

    def validation(self) -> "RecipeCorpus":
        """What weights are fitted on."""
        shares = self._shares()
        return self.part(np.flatnonzero((shares >= FIT) & (shares < TRAIN)))

    def train(self) -> "RecipeCorpus":
        """What shipped models learn from: all but the test part."""
        return self.part(np.flatnonzero(self._shares() < TRAIN))

    def test(self) -> "RecipeCorpus":
        """What is only ever judged on."""
        return self.part(np.flatnonzero(self._shares() >= TRAIN))

    def usual_names(self) -> tuple[str, ...]:
        """Ingredients that enough recipes use to learn from, the most used first: five, fewer in a small corpus."""
        counts = Counter(name for basket in self.baskets for name in basket)
        enough = max(1, min(SEEN, len(self) // 50))
        return tuple(
            sorted((name for name, n in counts.items() if n >= enough), key=lambda name: (-counts[name], name))
        )

    def _shares(self) -> NDArray[np.float64]:
        return np.array([share("recipe", recipe_id) for recipe_id in self.recipe_ids.tolist()], dtype=np.float64)


def share(purpose: str, key: int) -> float:
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


def read_recipes(service: Engine) -> RecipeCorpus:
    """The recipes of the service database, or EmptyCorpus. Popularity is log(1 + views + recommendations + scraps)."""
    counts = Recipe.view_count + Recipe.recommend_count + Recipe.scrap_count
    recipes = select(Recipe.recipe_id, Recipe.title, counts)
    lines = (
        select(RecipeIngredient.recipe_id, Ingredient.name)
        .join(Ingredient, Ingredient.ingredient_id == RecipeIngredient.ingredient_id)
        .order_by(RecipeIngredient.recipe_id, RecipeIngredient.position)
    )
    with service.connect() as conn:
        rows = [(recipe_id, title, float(np.log1p(count))) for recipe_id, title, count in conn.execute(recipes)]
        if not rows:
            raise EmptyCorpus("the service database holds no recipes: run `ukok recipes import FILE` first")
        return corpus_of(rows, ((recipe_id, name) for recipe_id, name in conn.execute(lines)))


def snapshot(store: Store, corpus: RecipeCorpus) -> str:
    """Freeze `corpus` as a dataset and return its version; the same recipes give the same version."""
    recipes = pd.DataFrame(
        {"recipe_id": corpus.recipe_ids, "title": list(corpus.titles), "popularity": corpus.popularity}
    )
    lengths = [len(basket) for basket in corpus.baskets]
    names: Sequence[str] = [name for basket in corpus.baskets for name in basket]
    lines = pd.DataFrame({"recipe_id": np.repeat(corpus.recipe_ids, lengths), "name": pd.Series(names, dtype="str")})
    return write_snapshot(store, DATASET, {"recipes": recipes, "ingredients": lines})


def load_snapshot(store: Store, version: str) -> RecipeCorpus:
    """The corpus of a snapshot."""
    tables = read_snapshot(store, DATASET, version)
    recipes, lines = tables["recipes"], tables["ingredients"]
    return corpus_of(
        zip(recipes["recipe_id"].tolist(), recipes["title"].tolist(), recipes["popularity"].tolist(), strict=True),
        zip(lines["recipe_id"].tolist(), lines["name"].tolist(), strict=True),
    )
