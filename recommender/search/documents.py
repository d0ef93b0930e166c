"""What search reads and answers."""

from collections.abc import Sequence
from typing import NamedTuple


class Document(NamedTuple):
    """A product or recipe as search sees it.

    ``tokens`` are separated by blanks. ``ingredients`` are canonical names: of a product those that its title was
    resolved to, of a recipe those of its list; the main one first. What is no food is not found by the name of food.
    ``popularity`` is any number, such as of reviews.
    """

    title: str
    store: str = ""
    tokens: str = ""
    ingredients: Sequence[str] = ()
    is_food: bool = True
    is_ingredient: bool = False
    popularity: float = 0.0


class Answer(NamedTuple):
    """Positions of the documents found, best first; ``did_you_mean`` is what was searched for instead, if anything."""

    positions: list[int]
    did_you_mean: str | None = None
