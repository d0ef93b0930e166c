"""Ingredients that go with others: with those asked for, with a cart, with what is in the kitchen."""

from collections.abc import Mapping
from typing import Final

from serving.recommendations.relations import COMPLEMENTS
from serving.recommendations.requests import ComplementsRequest
from serving.recommendations.stages import Recommendation, recommend
from serving.runtime.snapshot import Snapshot

# Beside the recipes for a cart or for given ingredients.
MOST_BESIDE_RECIPES: Final = 5


def recommend_complements(
    snapshot: Snapshot, given: Mapping[str, str], k: int = MOST_BESIDE_RECIPES, title: str = ""
) -> Recommendation[str]:
    """At most ``k`` ingredients that go with others in a dish of this title.

    ``given`` maps the canonical name of each to its name in reasons.
    """
    return recommend(snapshot, COMPLEMENTS, ComplementsRequest(given, title, k))
