"""Products and recipes as numbers: the space in which relations compare them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.relations.facts import ProductFacts, RecipeFacts
from recommender.relations.text_space import TextSpace
from recommender.text.title_words import Kind
from recommender.text.titles import normalise_title, plain

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

KINDS: Final = tuple(Kind)
NONFOOD: Final = KINDS.index(Kind.NONFOOD)
SUPPLEMENT: Final = KINDS.index(Kind.SUPPLEMENT)
SNACK: Final = KINDS.index(Kind.SNACK)
DRINK: Final = KINDS.index(Kind.DRINK)
UNKNOWN: Final = -1
# Reviews and views of the most popular goods, by which popularity is scaled to about 0 … 1.
MANY_REVIEWS: Final = 3000
# Weights of the signs that an ingredient is important in a recipe.
IN_TITLE, LISTED_EARLY, ONE_OF_FEW = 1.0, 0.5, 0.3


@dataclass(frozen=True)
class ProductMatrix:
    """Products, one row each.

    ``chars``, ``words`` and ``vectors`` are unit rows of the title, ``labels`` of the names of its types; ``types`` and
    ``ingredients`` mark what it names; ``heads``, ``shelves``, ``departments`` and ``mains`` are numbers, UNKNOWN where
    the title does not say. ``items`` are :func:`item_number`, which listings of the same item share.
    """

    chars: sp.csr_array
    words: sp.csr_array
    vectors: NDArray[np.float32]
    labels: sp.csr_array
    kinds: NDArray[np.int32]
    heads: NDArray[np.int32]
    shelves: NDArray[np.int32]
    departments: NDArray[np.int32]
    mains: NDArray[np.int32]
    types: sp.csr_array
    ingredients: sp.csr_array
    recipes: NDArray[np.float32]
    popularity: NDArray[np.float32]
    gifts: NDArray[np.int32]
    items: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, rows: NDArray[np.intp] | slice) -> "ProductMatrix":
        """The products at ``rows``."""
        return ProductMatrix(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class RecipeMatrix:
    """Recipes, one row each; ``importance`` (recipes, ingredients) says how much a recipe is about an ingredient.

    ``types`` and ``named`` mark the dishes and ingredients that the title names, ``heads`` is the dish. ``items`` are
    numbers that recipes of the same title share.
    """

    chars: sp.csr_array
    words: sp.csr_array
    vectors: NDArray[np.float32]
    labels: sp.csr_array
    heads: NDArray[np.int32]
    types: sp.csr_array
    named: sp.csr_array
    importance: sp.csr_array
    popularity: NDArray[np.float32]
    items: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.heads)

    def take(self, rows: NDArray[np.intp] | slice) -> "RecipeMatrix":
        """The recipes at ``rows``."""
        return RecipeMatrix(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Types:
    """Types of goods and dishes with the shelf and the department of each; "" where it has none."""

    names: tuple[str, ...]
    shelves: tuple[str, ...]
    departments: tuple[str, ...]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each type."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def shelf_numbers(self) -> NDArray[np.int32]:
        """Number of the shelf of each type (types + 1,); the last entry is that of no type."""
        return _codes(self.shelves)

    @cached_property
    def department_numbers(self) -> NDArray[np.int32]:
        """Number of the department of each type (types + 1,); the last entry is that of no type."""
        return _codes(self.departments)


@dataclass(frozen=True)
class Space:
    """Maps products and recipes to rows. ``names`` are the ingredients; ``encode`` gives unit vectors of texts."""

    text: TextSpace
    types: Types
    names: tuple[str, ...]
    encode: Encode

    def products(self, facts: Sequence[ProductFacts]) -> ProductMatrix:
        """Rows of products; types and ingredients that the space does not know are left out."""
        heads = np.array([self._type(product.types) for product in facts], np.int32)
        listed = [[self._names[name] for name in product.ingredients if name in self._names] for product in facts]
        return ProductMatrix(
            chars=self.text.chars([product.title for product in facts]),
            words=self.text.words([product.tokens for product in facts]),
            vectors=self._vectors([normalise_title(product.title) for product in facts]),
            labels=self.text.chars([_label(product.title, product.types) for product in facts]),
            kinds=np.array([KINDS.index(product.kind) for product in facts], np.int32),
            heads=heads,
            shelves=self.types.shelf_numbers[heads],
            departments=self.types.department_numbers[heads],
            mains=np.array([numbers[0] if numbers else UNKNOWN for numbers in listed], np.int32),
            types=self._marks([product.types for product in facts], self.types.numbers),
            ingredients=self._marks([product.ingredients for product in facts], self._names),
            recipes=np.array([product.recipes for product in facts], np.float32),
            popularity=np.array([np.log1p(product.reviews) for product in facts], np.float32)
            / np.float32(np.log1p(MANY_REVIEWS)),
            gifts=np.array(["선물" in product.title for product in facts], np.int32),
            items=np.array([item_number(product) for product in facts], np.int64),
        )

    def recipes(self, facts: Sequence[RecipeFacts]) -> RecipeMatrix:
        """Rows of recipes."""
        most = max((recipe.popularity for recipe in facts), default=0.0) or 1.0
        return RecipeMatrix(
            chars=self.text.chars([recipe.title for recipe in facts]),
            words=self.text.words([recipe.tokens for recipe in facts]),
            vectors=self._vectors([plain(recipe.title) for recipe in facts]),
            labels=self.text.chars([_label(recipe.title, recipe.types) for recipe in facts]),
            heads=np.array([self._type(recipe.types) for recipe in facts], np.int32),
            types=self._marks([recipe.types for recipe in facts], self.types.numbers),
            named=self._marks([recipe.named for recipe in facts], self._names),
            importance=self._importance(facts),
            popularity=np.array([recipe.popularity / most for recipe in facts], np.float32),
            items=np.array([_digest(normalise_title(recipe.title)) for recipe in facts], np.int64),
        )

    @cached_property
    def _names(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (texts, dimensions), also of no texts at all."""
        return self.encode(texts) if texts else self.encode(["-"])[:0]

    def _type(self, types: Sequence[str]) -> int:
        return self.types.numbers.get(types[0], UNKNOWN) if types else UNKNOWN

    def _importance(self, facts: Sequence[RecipeFacts]) -> sp.csr_array:
        rows = [
            {
                self._names[name]: (IN_TITLE if name in recipe.title or name in recipe.named else 0.0)
                + LISTED_EARLY * (1 - place / len(recipe.ingredients))
                + ONE_OF_FEW / len(recipe.ingredients) ** 0.5
                for place, name in enumerate(recipe.ingredients)
                if name in self._names
            }
            for recipe in facts
        ]
        return _matrix(rows, len(self.names))

    @staticmethod
    def _marks(lists: Sequence[Sequence[str]], numbers: dict[str, int]) -> sp.csr_array:
        rows = [{numbers[name]: 1.0 for name in names if name in numbers} for names in lists]
        return _matrix(rows, len(numbers))


def item_number(product: ProductFacts) -> int:
    """A number that listings of the same item share, in every release and for new products alike."""
    return _digest(product.item_id or f"{product.ref.source}:{product.ref.product_id}")


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _label(title: str, types: Sequence[str]) -> str:
    """The names of the types, the head twice; of a title that names none its last two words."""
    return " ".join((*types[:1], *types)) if types else " ".join(normalise_title(title).split()[-2:])


def _matrix(rows: Sequence[dict[int, float]], width: int) -> sp.csr_array:
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
    columns = np.array([column for row in rows for column in sorted(row)], np.int32)
    values = np.array([row[column] for row in rows for column in sorted(row)], np.float32)
    return sp.csr_array((values, columns, starts), shape=(len(rows), width))


def _codes(names: Sequence[str]) -> NDArray[np.int32]:
    """Numbers of the distinct names in order, UNKNOWN for "", and UNKNOWN once more at the end."""
    known = {name: number for number, name in enumerate(sorted({*names} - {""}))}
    return np.array([*(known.get(name, UNKNOWN) for name in names), UNKNOWN], np.int32)


def kind_columns(kinds: NDArray[np.int32]) -> dict[str, NDArray[np.bool_]]:
    """Whether each product is an ingredient, ready, a snack, a drink or a supplement."""
    return {f"is_{kind}": kinds == KINDS.index(kind) for kind in KINDS if kind is not Kind.NONFOOD}


def main_values(mains: NDArray[np.int32], values: sp.csr_array) -> NDArray[np.float32]:
    """The value of ingredient ``mains[row]`` in row ``row`` of ``values`` (rows, ingredients); 0 for UNKNOWN."""
    known = mains >= 0
    starts = np.concatenate(([0], np.cumsum(known)))
    marks = sp.csr_array((np.ones(int(known.sum()), np.float32), mains[known], starts), shape=values.shape)
    return np.asarray(marks.multiply(values).sum(axis=1), np.float32).ravel()
