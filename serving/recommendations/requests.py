"""What the candidate generators are asked for, one type a kind of request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serving.catalog.broadcasts import Product
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations.asked_ingredients import AskedIngredient


@dataclass(frozen=True, slots=True)
class ProductRequest:
    """What goes with a product of the mall or of a broadcaster."""

    product: KokItem | Product
    k: int

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Ingredients that the title was resolved to, the main one first."""
        return self.product.ingredients


@dataclass(frozen=True, slots=True)
class ProductShowsRequest(ProductRequest):
    """Which shows, on air or to come at ``now``, go with a product."""

    now: datetime


@dataclass(frozen=True, slots=True)
class MallItemRequest:
    """Which other mall products go with one of the mall's own."""

    item: KokItem
    k: int


@dataclass(frozen=True, slots=True)
class IngredientsRequest:
    """What contains some ingredients, given by canonical name."""

    ingredients: Sequence[str]
    k: int


@dataclass(frozen=True, slots=True)
class CartRequest:
    """Recipes for the ingredients of a cart: ``positions`` is the page of ranked recipes to show, of ``k`` at most."""

    ingredients: Sequence[str]
    positions: Sequence[int]
    k: int


@dataclass(frozen=True, slots=True)
class RecipeRequest:
    """What to buy for a recipe at ``now``."""

    recipe: Recipe
    k: int
    now: datetime


@dataclass(frozen=True, slots=True)
class IngredientRequest:
    """What stands for one ingredient."""

    ingredient: AskedIngredient
    k: int


@dataclass(frozen=True, slots=True)
class IngredientShowsRequest(IngredientRequest):
    """Which shows, on air or to come at ``now``, sell an ingredient."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ComplementsRequest:
    """What goes with some ingredients, in a dish of this title, if it has one.

    ``given`` maps the canonical name of each to its name in reasons: that by which it was asked for.
    """

    given: Mapping[str, str]
    title: str
    k: int

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Canonical names of the ingredients."""
        return tuple(self.given)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a text finds at ``now``."""

    keyword: str
    k: int
    now: datetime


@dataclass(frozen=True, slots=True)
class PopularRequest:
    """What is popular at ``now``: in season, and of shows those on air or to come."""

    k: int
    now: datetime


class HasIngredients(Protocol):
    """A request for what contains some ingredients, the main one first."""

    @property
    def ingredients(self) -> Sequence[str]: ...

    @property
    def k(self) -> int: ...
