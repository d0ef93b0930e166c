"""A release, opened for serving: array reads for item to item, FAISS for free queries. Immutable and safe to share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from artifacts.release import MANIFEST, CorruptRelease, Manifest
from recommender.models.baskets import Baskets
from recommender.models.encoder import Encoder
from recommender.models.neighbours import BY_TEXT, NOTHING, SIMILAR, NeighbourTable
from recommender.product_ref import ProductRef
from recommender.rankers.blend import Blend
from recommender.rankers.substitutes import find as find_substitutes

Target = Literal["kok", "home_shopping"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A recipe, how well it fits and why."""

    recipe_id: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class ProductNeighbour:
    """A product, how well it fits and why."""

    product: ProductRef
    score: float
    reason: str


class LoadedRelease:
    """The indexes and tables of one release. Rows of texts are the recipes, then the products."""

    def __init__(self, folder: Path) -> None:
        """Read a checked folder; raises :class:`CorruptRelease` when its parts do not fit together."""
        # One query is answered by one thread; the server has many of them.
        faiss.omp_set_num_threads(1)
        self.folder = folder
        self.manifest = Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
        self.version = self.manifest.version
        self.names: tuple[str, ...] = tuple(json.loads((folder / "ingredients.json").read_text(encoding="utf-8")))
        self.recipe_ids: NDArray[np.int64] = np.load(folder / "recipe_ids.npy")
        self.baskets = Baskets.load(folder / "baskets")
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._prior: NDArray[np.float32] = np.load(folder / "recipe_prior.npy")
        self._vectors: NDArray[np.float32] = np.load(folder / "ingredient_vectors.npy")
        sources, ids = np.load(folder / "product_sources.npy"), np.load(folder / "product_ids.npy")
        self._products = [ProductRef(*pair) for pair in zip(sources.tolist(), ids.tolist(), strict=True)]
        self._rows = {product: row for row, product in enumerate(self._products)}
        self._product_recipes = NeighbourTable.load(folder / "neighbours" / "product_recipes")
        self._recipe_products = NeighbourTable.load(folder / "neighbours" / "recipe_products")
        self._similar: dict[Target, NeighbourTable] = {
            "kok": NeighbourTable.load(folder / "neighbours" / "product_kok"),
            "home_shopping": NeighbourTable.load(folder / "neighbours" / "product_home_shopping"),
        }
        self._recipe_index = faiss.read_index(str(folder / "recipes.faiss"))
        self._text_index = faiss.read_index(str(folder / "texts.faiss"))
        self._encoder = Encoder(folder / "encoder")
        self._blend = Blend.load(folder / "blend")
        self._check()

    @classmethod
    def open(cls, folder: Path) -> "LoadedRelease":
        """Open a release that :func:`artifacts.release.fetch` brought."""
        try:
            return cls(folder)
        except (FileNotFoundError, KeyError, RuntimeError) as error:
            if isinstance(error, CorruptRelease):
                raise
            raise CorruptRelease(f"release in {folder.name}: {error}") from error

    def product_recipes(self, product: ProductRef, k: int) -> list[Neighbour]:
        """Recipes to cook with a product, best first; empty for an unknown product."""
        row = self._rows.get(product)
        if row is None:
            return []
        return [
            Neighbour(int(self.recipe_ids[recipe]), score, self._reason(reason))
            for recipe, score, reason in self._product_recipes.of_row(row, k)
        ]

    def recipe_products(self, recipe_id: int, k: int) -> list[ProductNeighbour]:
        """Products to buy for a recipe, its most telling ingredients first; empty for an unknown recipe."""
        row = self._recipe_rows.get(recipe_id)
        return [] if row is None else self._named(self._recipe_products.of_row(row, k))

    def similar_products(self, product: ProductRef, target: Target, k: int) -> list[ProductNeighbour]:
        """Products of ``target`` that are like a product, best first; empty for an unknown product."""
        row = self._rows.get(product)
        return [] if row is None else self._named(self._similar[target].of_row(row, k))

    def recipes_with(self, ingredients: Sequence[str], k: int) -> list[Neighbour]:
        """Recipes that hold the most telling of the ingredients, then those nearest in Word2Vec's space."""
        wanted = [self._numbers[name] for name in dict.fromkeys(ingredients) if name in self._numbers]
        if not wanted:
            return []
        scores = np.zeros(len(self.recipe_ids), dtype=np.float32)
        for number in wanted:
            scores[self._holders[number]] += self._information[number]
        holding = np.flatnonzero(scores)
        order = holding[np.lexsort((holding, -self._prior[holding], -scores[holding]))][:k]
        found = [Neighbour(int(self.recipe_ids[row]), float(scores[row]), self._shared(row, wanted)) for row in order]
        return found + self._nearest(wanted, k - len(found), {neighbour.recipe_id for neighbour in found})

    def recipes_like(self, text: str, k: int) -> list[Neighbour]:
        """Recipes whose titles mean what ``text`` says, by the sentence encoder; none for what it cannot read."""
        if not len(self.recipe_ids) or not self._encoder.understands(text):
            return []
        # The recipes come first in the index: only their rows are searched.
        only = faiss.SearchParameters(sel=faiss.IDSelectorRange(0, len(self.recipe_ids)))
        scores, rows = self._text_index.search(self.encode([text]), min(k, len(self.recipe_ids)), params=only)
        pairs = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [Neighbour(int(self.recipe_ids[row]), score, SIMILAR) for row, score in pairs if row >= 0]

    def complete(self, ingredients: Sequence[str], k: int, title: str = "") -> list[tuple[str, float]]:
        """Ingredients that a recipe with these still lacks, best first, by the blended ranker."""
        scores = self._blend.scores(ingredients, title)
        given = set(ingredients)
        order = np.argsort(-scores, kind="stable")
        ranked = ((self._blend.names[number], float(scores[number])) for number in order.tolist())
        return [(name, score) for name, score in ranked if name not in given][:k]

    def substitutes(self, ingredient: str, k: int) -> list[tuple[str, float]]:
        """Ingredients that recipes use alike, best first, with the cosine of their vectors; none for an unknown."""
        number = self._numbers.get(ingredient)
        if number is None:
            return []
        return [(self.names[row], cosine) for row, cosine in find_substitutes(number, self._vectors, self.baskets)[:k]]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts."""
        return self._encoder.encode(texts)

    def _nearest(self, wanted: Sequence[int], k: int, known: set[int]) -> list[Neighbour]:
        query = self._vectors[list(wanted)].sum(axis=0, keepdims=True)
        if k <= 0 or not query.any():
            return []
        query /= np.linalg.norm(query)
        scores, rows = self._recipe_index.search(query, min(k + len(known), len(self.recipe_ids)))
        pairs = ((int(self.recipe_ids[row]), score) for row, score in zip(rows[0], scores[0].tolist(), strict=True))
        return [Neighbour(recipe_id, score, SIMILAR) for recipe_id, score in pairs if recipe_id not in known][:k]

    def _shared(self, row: int, wanted: Sequence[int]) -> str:
        held = set(self.baskets.of_recipe(row).tolist())
        return "contains:" + ",".join(self.names[number] for number in wanted if number in held)

    def _reason(self, reason: int) -> str:
        return SIMILAR if reason == BY_TEXT else f"contains:{self.names[reason]}"

    def _named(self, found: Sequence[tuple[int, float, int]]) -> list[ProductNeighbour]:
        return [ProductNeighbour(self._products[row], score, self._reason(reason)) for row, score, reason in found]

    @cached_property
    def _recipe_rows(self) -> dict[int, int]:
        return {recipe_id: row for row, recipe_id in enumerate(self.recipe_ids.tolist())}

    @cached_property
    def _holders(self) -> list[NDArray[np.int32]]:
        return self.baskets.holders(len(self.names))

    @cached_property
    def _information(self) -> NDArray[np.float32]:
        return self.baskets.information(len(self.names))

    def _check(self) -> None:
        """Refuse parts that were not made for one another: every number must point at something."""
        recipes, products, names = len(self.recipe_ids), len(self._products), len(self.names)
        lengths = {
            "baskets": (len(self.baskets), recipes),
            "recipe_prior.npy": (len(self._prior), recipes),
            "ingredient_vectors.npy": (len(self._vectors), names),
            "recipes.faiss": (self._recipe_index.ntotal, recipes),
            "texts.faiss": (self._text_index.ntotal, recipes + products),
            "neighbours/product_recipes": (len(self._product_recipes.rows), products),
            "neighbours/recipe_products": (len(self._recipe_products.rows), recipes),
            "neighbours/product_kok": (len(self._similar["kok"].rows), products),
            "neighbours/product_home_shopping": (len(self._similar["home_shopping"].rows), products),
        }
        for name, (found, expected) in lengths.items():
            if found != expected:
                raise CorruptRelease(f"release {self.version}: {name} has {found} rows, expected {expected}")
        self._check_bounds("baskets", self.baskets.ingredients, 0, names)
        for name, table, limit in (
            ("product_recipes", self._product_recipes, recipes),
            ("recipe_products", self._recipe_products, products),
            ("product_kok", self._similar["kok"], products),
            ("product_home_shopping", self._similar["home_shopping"], products),
        ):
            self._check_bounds(f"neighbours/{name}/rows", table.rows, NOTHING, limit)
            self._check_bounds(f"neighbours/{name}/reasons", table.reasons, BY_TEXT, names)

    def _check_bounds(self, name: str, numbers: NDArray[np.int32], first: int, limit: int) -> None:
        wrong = numbers[(numbers < first) | (numbers >= limit)]
        if wrong.size:
            raise CorruptRelease(f"release {self.version}: {name} points at row {int(wrong[0])} of {limit}")
