"""Build the response fields and event payloads that recommendations of several services share."""

from collections.abc import Collection, Sequence
from typing import TypedDict

from recommender.product_ref import ProductRef
from recommender.text.amounts import read_measure
from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Line, Recipe
from serving.recommendations.schemas import Complement, UsedIngredient
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage
from sql.warehouse.event_types import Impression


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


class Impressions(TypedDict):
    """Fields of every event that records a recommendation."""

    release_version: str | None
    stage: Stage | None
    impressions: list[Impression]


class ProductFields(TypedDict):
    """A product in an event; several sources may share an id."""

    product_id: int
    product_source: str


def impressions(recommendation: Recommendation[Recipe | KokItem | Show | str]) -> Impressions:
    """The event fields for showing a recommendation to a user: what answered, and every item."""
    return Impressions(
        release_version=recommendation.release_version,
        stage=recommendation.stage,
        impressions=impression_items(recommendation),
    )


def impression_items(recommendation: Recommendation[Recipe | KokItem | Show | str]) -> list[Impression]:
    """The items of a recommendation as events name them, with their position from 1."""
    return [
        _impression(position, entry.item, entry.reason) for position, entry in enumerate(recommendation.items, start=1)
    ]


def product_fields(ref: ProductRef) -> ProductFields:
    """A product as events name it."""
    return ProductFields(product_id=ref.product_id, product_source=ref.source)


def used_ingredients(recipe: Recipe, given: Collection[str]) -> list[UsedIngredient]:
    """The ingredients of a recipe that were ``given``, by canonical names, in the order of its list."""
    return [_used(lines) for name, lines in recipe.by_ingredient.items() if name in given]


def complement_rows(complements: Recommendation[str]) -> list[Complement]:
    """Ingredients that go with others."""
    version = complements.release_version
    return [Complement(ingredient=entry.item, **item_provenance(entry, version)) for entry in complements.items]


def _impression(position: int, item: Recipe | KokItem | Show | str, reason: str) -> Impression:
    if isinstance(item, str):
        return Impression(position=position, ingredient=item, reason=reason)
    if isinstance(item, Recipe):
        return Impression(position=position, recipe_id=item.recipe_id, reason=reason)
    if isinstance(item, KokItem):
        return Impression(position=position, **product_fields(item.ref), reason=reason)
    return Impression(position=position, **product_fields(item.product.ref), live_id=item.live_id, reason=reason)


def _used(lines: Sequence[Line]) -> UsedIngredient:
    measures = [read_measure(line.amount, line.unit) for line in lines]
    number, unit = measures[0]
    if all(measure.unit == unit and measure.number is not None for measure in measures):
        number = sum(measure.number or 0 for measure in measures)
    return UsedIngredient(material_name=lines[0].name, measure_amount=number, measure_unit=unit)
