"""Generators of ingredients: substitutes of one, and what goes with some."""

from collections import Counter
from collections.abc import Iterator

from recommender.models.neighbours import SIMILAR
from recommender.rankers.substitute import Relation as SubstituteRelation
from recommender.rankers.substitute import Substitute
from serving.recommendations.requests import (
    ComplementsRequest,
    IngredientRequest,
)
from serving.recommendations.stages import NEIGHBOURS, POPULAR, Candidate
from serving.runtime.snapshot import Snapshot

# Other names and kinds of an ingredient among its substitutes: beef has twenty.
MOST_SAME = 5
# Recipes that are counted for what is used together, where no release answers.
COUNTED_RECIPES = 200


def substitutes(snapshot: Snapshot, request: IngredientRequest) -> Iterator[Candidate[Substitute]]:
    """Ingredients that a cook would accept instead, with the probability of it: some of the same, then others."""
    if snapshot.release:
        asked, release = request.ingredient, snapshot.release
        same = 0
        for each in release.substitutes(asked.text, NEIGHBOURS) or release.substitutes(asked.name, NEIGHBOURS):
            same += each.relation is not SubstituteRelation.SUBSTITUTE
            if each.relation is SubstituteRelation.SUBSTITUTE or same <= MOST_SAME:
                yield Candidate(each, SIMILAR, each.score)


def complements(snapshot: Snapshot, request: ComplementsRequest) -> Iterator[Candidate[str]]:
    """Ingredients that complete a recipe with the given ones, by the release's blend."""
    known = snapshot.release.completed_ingredients & set(request.ingredients) if snapshot.release else ()
    if snapshot.release and (known or request.title):
        by_title = snapshot.release.title_weights(request.title) if request.title else {}
        for name, score in snapshot.release.complete(request.ingredients, request.k, request.title):
            partner, weight = snapshot.release.closest_partner(name, request.ingredients) or (None, 0.0)
            if by_title.get(name, 0.0) > weight:
                reason = f"title:{request.title}"
            else:
                reason = f"with:{request.given[partner]}" if partner else POPULAR
            yield Candidate(name, reason, score)


def ingredients_used_together(snapshot: Snapshot, request: ComplementsRequest) -> Iterator[Candidate[str]]:
    """Ingredients of the most popular recipes that contain every given one, the most frequent first."""
    recipes = snapshot.recipes.with_all(request.ingredients, COUNTED_RECIPES)
    counts = Counter(name for recipe in recipes for name in recipe.ingredients if name not in request.ingredients)
    reason = f"with:{','.join(request.given.values())}"
    return (Candidate(name, reason) for name in sorted(counts, key=lambda name: (-counts[name], name)))
