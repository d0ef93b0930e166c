"""What the relations know of a product and of a recipe."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.product_ref import ProductRef
from recommender.text.ingredients import written_name
from recommender.text.title_words import Kind
from recommender.text.titles import normalise_title, tokens

# Separates the types of a product in its column, which holds so many letters.
TYPES_SEPARATOR: Final = "|"
TYPES_LENGTH: Final = 255
# Probability that somebody cooks with a product, from which recipes are shown beside it without a ranker.
SHOW_RECIPES: Final = 0.5


class ProductFacts(NamedTuple):
    """A product as its title was understood.

    ``tokens`` are its search tokens, ``types`` what it is (its head first), ``ingredients`` its canonical ingredients
    (its own first), ``recipes`` the probability that somebody cooks with it, ``reviews`` their number. Listings of the
    same item share an ``item_id``; it is None until the listing has been linked.
    """

    ref: ProductRef
    title: str
    tokens: str
    kind: Kind
    types: tuple[str, ...]
    ingredients: tuple[str, ...]
    recipes: float
    reviews: int
    item_id: str | None = None

    @property
    def is_eaten(self) -> bool:
        """Whether it is eaten or drunk as it is, so that nobody cooks with it."""
        return self.recipes <= 0 and self.kind not in {Kind.INGREDIENT, Kind.READY}

    @property
    def text(self) -> str:
        """The text that encoders read: the title without its packaging."""
        return normalise_title(self.title)


class RecipeFacts(NamedTuple):
    """A recipe: ``types`` and ``named`` are the dishes and ingredients that its title names, ``popularity`` ≥ 0."""

    recipe_id: int
    title: str
    tokens: str
    ingredients: tuple[str, ...]
    types: tuple[str, ...]
    named: tuple[str, ...]
    popularity: float


def kind_of(kind: str | None, *, is_food: bool, is_ingredient: bool) -> Kind:
    """The kind in a product's columns; one whose title is not resolved yet has none and is guessed."""
    if kind:
        return Kind(kind)
    return Kind.INGREDIENT if is_ingredient else Kind.READY if is_food else Kind.NONFOOD


def split_types(types: str | None) -> tuple[str, ...]:
    """The types in a product's column."""
    return tuple(types.split(TYPES_SEPARATOR)) if types else ()


def join_types(types: Sequence[str]) -> str | None:
    """The types of a product as its column holds them, the last ones left out if it is too short; None without any."""
    joined = TYPES_SEPARATOR.join(types)
    while len(joined) > TYPES_LENGTH:
        joined, _, _ = joined.rpartition(TYPES_SEPARATOR)
    return joined or None


def as_product(name: str, text: str, tokens: str) -> ProductFacts:
    """An ingredient as a product that consists of it; ``text`` is how it was written."""
    return ProductFacts(ProductRef("ingredient", 0), text, tokens, Kind.INGREDIENT, (name,), (name,), 1.0, 0)


@lru_cache(maxsize=4096)
def asked_ingredient(name: str, written: str) -> ProductFacts:
    """The ingredient of a canonical ``name`` as a product, asked for as it was ``written``."""
    text = written_name(written)
    return as_product(name, text, " ".join(dict.fromkeys(tokens(text))))
