"""Build the response fields and event payloads that recommendations of several services share."""

from collections.abc import Collection, Sequence
from typing import TypedDict

from recommender.product_ref import ProductRef
from recommender.text.kitchen_amounts import read_measure
from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Line, Recipe
from serving.recommendations.schemas import UsedIngredient
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage


class ProvenanceFields(TypedDict):
    """Fields of :class:`~serving.recommendations.schemas.Provenance`."""

    release_version: str | None
    stage: Stage | None
    fallback: bool


class ItemProvenanceFields(TypedDict):
    """Fields of :class:`~serving.recommendations.schemas.ItemProvenance`."""

    reason: str
    release_version: str | None
    stage: Stage
    fallback: bool


def provenance(recommendation: Recommendation[object]) -> ProvenanceFields:
    """What answered a recommendation."""
    return ProvenanceFields(
        release_version=recommendation.release_version,
        stage=recommendation.stage,
        fallback=recommendation.fallback,
    )


def item_provenance(entry: RecommendedItem[object], release_version: str | None) -> ItemProvenanceFields:
    """Why an item is recommended, and what recommends it."""
    return ItemProvenanceFields(
        reason=entry.reason, release_version=release_version, stage=entry.stage, fallback=entry.fallback
    )


def impressions(recommendation: Recommendation[Recipe | KokItem | Show], **request: object) -> dict[str, object]:
    """The event payload for showing a recommendation to a user: the request, what answered, and every item."""
    return {
        **request,
        "release_version": recommendation.release_version,
        "source": recommendation.stage,
        "impressions": shown_items(recommendation),
    }


def shown_items(recommendation: Recommendation[Recipe | KokItem | Show]) -> list[dict[str, object]]:
    """The items of a recommendation as events name them, with their position from 1."""
    return [
        {"position": position, **_event_ref(entry.item), "reason": entry.reason}
        for position, entry in enumerate(recommendation.items, start=1)
    ]


def product_fields(ref: ProductRef) -> dict[str, object]:
    """A product as events name it: several sources may share an id."""
    return {"product_id": ref.product_id, "product_source": ref.source}


def used_ingredients(recipe: Recipe, given: Collection[str]) -> list[UsedIngredient]:
    """The ingredients of a recipe that were ``given``, by canonical names, in the order of its list."""
    return [_used(lines) for name, lines in recipe.by_ingredient.items() if name in given]


def _event_ref(item: Recipe | KokItem | Show) -> dict[str, object]:
    if isinstance(item, Recipe):
        return {"recipe_id": item.recipe_id}
    if isinstance(item, KokItem):
        return product_fields(item.ref)
    return product_fields(item.product.ref) | {"live_id": item.live_id}


def _used(lines: Sequence[Line]) -> UsedIngredient:
    measures = [read_measure(line.amount, line.unit) for line in lines]
    number, unit = measures[0]
    if all(measure.unit == unit and measure.number is not None for measure in measures):
        number = sum(measure.number or 0 for measure in measures)
    return UsedIngredient(material_name=lines[0].name, measure_amount=number, measure_unit=unit)
