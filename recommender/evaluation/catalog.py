"""The catalog that a release was to be built from: titles and ingredients, against which its answers are held."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from recommender.evaluation.answers import product_item, recipe_item
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.product_ref import KOK, ProductRef


@dataclass(frozen=True)
class CatalogProduct:
    """A food product; ``ingredients`` are canonical names, the product itself first, ``tokens`` those of its title."""

    ref: ProductRef
    title: str
    ingredients: tuple[str, ...]
    is_ingredient: bool
    popularity: float
    tokens: tuple[str, ...] = ()

    @property
    def item(self) -> str:
        """The id in judgements."""
        return product_item(self.ref)


@dataclass(frozen=True)
class CatalogRecipe:
    """A recipe; ``ingredients`` are canonical names as listed, ``tokens`` those of its title."""

    recipe_id: int
    title: str
    ingredients: tuple[str, ...]
    popularity: float
    tokens: tuple[str, ...] = ()

    @property
    def item(self) -> str:
        """The id in judgements."""
        return recipe_item(self.recipe_id)


Entry = TypeVar("Entry", CatalogProduct, CatalogRecipe)


@dataclass(frozen=True)
class Catalog:
    """Food products and recipes, each in order of their ids.

    ``recipe_tokens`` (recipes,) are the content tokens of the titles, ``synonyms`` maps other spellings to canonical
    ingredient names, ``written`` the names as recipes write them.
    """

    products: tuple[CatalogProduct, ...]
    corpus: RecipeCorpus
    recipe_tokens: tuple[tuple[str, ...], ...]
    synonyms: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def recipes(self) -> tuple[CatalogRecipe, ...]:
        """The recipes of the corpus."""
        ids, popularity = self.corpus.recipe_ids.tolist(), self.corpus.popularity.tolist()
        rows = zip(ids, self.corpus.titles, self.corpus.baskets, popularity, self.recipe_tokens, strict=True)
        return tuple(CatalogRecipe(*row) for row in rows)

    @cached_property
    def product_by_item(self) -> dict[str, CatalogProduct]:
        """Products by their id in judgements."""
        return {product.item: product for product in self.products}

    @cached_property
    def recipe_by_item(self) -> dict[str, CatalogRecipe]:
        """Recipes by their id in judgements."""
        return {recipe.item: recipe for recipe in self.recipes}

    @cached_property
    def mall(self) -> tuple[CatalogProduct, ...]:
        """Products of the mall."""
        return tuple(product for product in self.products if product.ref.source == KOK)

    @cached_property
    def broadcast(self) -> tuple[CatalogProduct, ...]:
        """Products of the broadcasters."""
        return tuple(product for product in self.products if product.ref.source != KOK)

    @cached_property
    def recipes_by_ingredient(self) -> dict[str, list[CatalogRecipe]]:
        """Recipes of each ingredient."""
        return _by_ingredient(self.recipes)

    @cached_property
    def mall_by_ingredient(self) -> dict[str, list[CatalogProduct]]:
        """Mall products by each of their ingredients."""
        return _by_ingredient(self.mall)

    @cached_property
    def broadcast_by_ingredient(self) -> dict[str, list[CatalogProduct]]:
        """Products of broadcasters by each of their ingredients."""
        return _by_ingredient(self.broadcast)

    def holds(self, item: str) -> bool:
        """Whether an item exists; an ingredient does if a recipe uses it."""
        kind, _, name = item.partition(":")
        if kind == "ingredient":
            return self.written.get(name, name) in self.recipes_by_ingredient
        return item in self.product_by_item or item in self.recipe_by_item


def _by_ingredient(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in dict.fromkeys(entry.ingredients):
            found.setdefault(name, []).append(entry)
    return found
