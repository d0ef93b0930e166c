"""Ingredients that go with others: with those asked for, with a cart, with what is in the kitchen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from serving.recommendations.candidates import ComplementsRequest
from serving.recommendations.relations import COMPLEMENTS
from serving.recommendations.stages import Recommendation, recommend
from serving.runtime.snapshot import Snapshot

# Beside the recipes for a cart or for given ingredients.
MOST_BESIDE_RECIPES: Final = 5


@dataclass(frozen=True)
class ComplementsRecommendation:
    """What goes with the `ingredients`, by canonical name; `unknown` names are of no recipe and were left out."""

    ingredients: tuple[str, ...]
    unknown: tuple[str, ...]
    complements: Recommendation[str]


def recommend_complements(
    snapshot: Snapshot, names: Sequence[str], k: int = MOST_BESIDE_RECIPES, title: str = ""
) -> ComplementsRecommendation:
    """At most ``k`` ingredients that go with others, given in any spelling, in a dish of this title."""
    canonical = {name: snapshot.recipes.name_of(name) for name in dict.fromkeys(names)}
    unknown = tuple(name for name, ingredient in canonical.items() if not snapshot.recipes.uses(ingredient))
    known = tuple(dict.fromkeys(ingredient for name, ingredient in canonical.items() if name not in unknown))
    complements = recommend(snapshot, COMPLEMENTS, ComplementsRequest(known, " ".join(title.split()), k))
    return ComplementsRecommendation(known, unknown, complements)
