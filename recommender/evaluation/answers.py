"""What an evaluation asks: a function from a query to the list of a relation, whoever ranks it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from recommender.product_ref import ProductRef

# Answers of a list that are judged, as the first page shows them.
JUDGED: Final = 5
# Answers of a list whose order, diversity and agreement are measured.
LISTED: Final = 10


class Answer(NamedTuple):
    """An item of a list with its score and its reason, where the relation gives one."""

    item: str
    score: float | None = None
    reason: str = ""


# The answers to a query, best first; a query is the id of an item or what somebody types.
Ask = Callable[[str], Sequence[Answer]]


def product_item(product: ProductRef) -> str:
    """The id of a product in judgements: ``kok:101``."""
    return f"{product.source}:{product.product_id}"


def product_of(item: str) -> ProductRef:
    """The product of an id that :func:`product_item` made."""
    source, _, number = item.partition(":")
    return ProductRef(source, int(number))


def recipe_item(recipe_id: int) -> str:
    """The id of a recipe in judgements: ``recipe:9001``."""
    return f"recipe:{recipe_id}"


def ingredient_item(name: str) -> str:
    """The id of an ingredient in judgements: ``ingredient:감자``."""
    return f"ingredient:{name}"
