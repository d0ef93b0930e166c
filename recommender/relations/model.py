"""What a release needs to rank: the space, the rows of its products and recipes, and the rankers."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from recommender.relations.ranker import Rankers, read_rankers, to_toml
from recommender.relations.space import Encode, ProductMatrix, RecipeMatrix, Space, Types
from recommender.relations.storage import load_matrix, save_matrix
from recommender.relations.text_space import TextSpace


class RelationFile(StrEnum):
    """Files of a :class:`RelationModel`, by their path in its folder."""

    IDF = "idf.npz"
    TYPES = "types.json"
    PRODUCTS = "products.npz"
    RECIPES = "recipes.npz"
    RANKERS = "rankers.toml"


@dataclass(frozen=True)
class RelationModel:
    """Rows of products and recipes, in the order of the release, and what maps new ones to rows."""

    text: TextSpace
    types: Types
    products: ProductMatrix
    recipes: RecipeMatrix
    rankers: Rankers

    def space(self, names: tuple[str, ...], encode: Encode) -> Space:
        """The space of the rows; ``names`` are the ingredients of the release."""
        return Space(self.text, self.types, names, encode)

    def write(self, folder: Path) -> None:
        """Write every file into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / RelationFile.IDF, grams=self.text.gram_idf, words=self.text.word_idf)
        types = list(zip(self.types.names, self.types.shelves, self.types.departments, strict=True))
        (folder / RelationFile.TYPES).write_text(json.dumps(types, ensure_ascii=False), encoding="utf-8")
        save_matrix(folder / RelationFile.PRODUCTS, self.products)
        save_matrix(folder / RelationFile.RECIPES, self.recipes)
        (folder / RelationFile.RANKERS).write_text(to_toml(self.rankers.rankers), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "RelationModel":
        """Read the files that :meth:`write` wrote; raises KeyError, ValueError or OSError for others."""
        with np.load(folder / RelationFile.IDF) as arrays:
            text = TextSpace(arrays["grams"], arrays["words"])
        rows = json.loads((folder / RelationFile.TYPES).read_text(encoding="utf-8"))
        names, shelves, departments = (tuple(column) for column in zip(*rows, strict=True)) if rows else ((), (), ())
        return cls(
            text,
            Types(names, shelves, departments),
            load_matrix(folder / RelationFile.PRODUCTS, ProductMatrix),
            load_matrix(folder / RelationFile.RECIPES, RecipeMatrix),
            read_rankers(folder / RelationFile.RANKERS),
        )
