"""What a person says of a title, and the resolved title that follows from it."""

from dataclasses import dataclass

from recommender.text.resolver import ResolvedTitle
from recommender.text.title_reading import RuleReading
from recommender.text.title_words import FOOD_KINDS, Kind


@dataclass(frozen=True, slots=True)
class TitleLabel:
    """A title as a person reads it; ``ingredients`` are canonical names, the product's own first."""

    title: str
    kind: Kind
    ingredients: tuple[str, ...]
    shows_recipes: bool


def resolved_as(label: TitleLabel, reading: RuleReading, *, known_food: bool) -> ResolvedTitle:
    """The title as it is labelled; its types are what the rules read of that kind.

    `known_food`: the shop sells only food, so that its supplements count as food.
    """
    return ResolvedTitle(
        kind=label.kind,
        types=reading.types_of(label.kind),
        ingredients=label.ingredients,
        is_food=label.kind in FOOD_KINDS or (known_food and label.kind is Kind.SUPPLEMENT),
        recipes=float(label.shows_recipes),
    )
