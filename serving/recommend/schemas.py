"""What every recommendation says about itself, and the bodies of the recommendation routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from pydantic import BaseModel, Field

from serving.recommend.candidates import Recommendation, Source


class Provenance(BaseModel):
    """Where a recommendation comes from."""

    release_version: str | None = Field(description="Release in service when this was answered")
    source: Source | None = Field(description="Which stage answered; null when there is nothing to recommend")
    fallback: bool = Field(description="Something simpler than the release answered")


class Origin(TypedDict):
    """Fields of :class:`Provenance`."""

    release_version: str | None
    source: Source | None
    fallback: bool


def origin(recommendation: Recommendation[Any]) -> Origin:
    """Fields of :class:`Provenance` of a recommendation."""
    return Origin(
        release_version=recommendation.release_version,
        source=recommendation.source,
        fallback=recommendation.fallback,
    )


class Recommended(BaseModel):
    """What every recommended item says about itself."""

    reason: str = Field(
        description="`contains:` the shared ingredients, `similar`, `title:` what it names, `viewed:` or `popular`",
        examples=["contains:감자"],
    )
    release_version: str | None = Field(description="Release in service when this was answered")
    source: Source = Field(description="Which stage answered")
    fallback: bool = Field(description="Something simpler than the release answered")


class ItemOrigin(TypedDict):
    """Fields of :class:`Recommended`."""

    reason: str
    release_version: str | None
    source: Source
    fallback: bool


def item_origin(recommendation: Recommendation[Any], reason: str) -> ItemOrigin:
    """Fields of :class:`Recommended` of an item of a recommendation."""
    return ItemOrigin(
        reason=reason,
        release_version=recommendation.release_version,
        source=recommendation.source or "popular",
        fallback=recommendation.fallback,
    )


def impressions(
    recommendation: Recommendation[Any], kind: str, ids: Sequence[int], **asked: object
) -> dict[str, object]:
    """What is recorded when a user is shown a recommendation: ``ids`` of items of a ``kind``, by position from 1."""
    shown = [
        {"position": position, kind: number, "reason": reason}
        for position, (number, (_, reason)) in enumerate(zip(ids, recommendation.items, strict=True), start=1)
    ]
    return {
        **asked,
        "release_version": recommendation.release_version,
        "source": recommendation.source,
        "impressions": shown,
    }


class ReleaseInService(BaseModel):
    """The release that answers."""

    version: str | None
    built_at: datetime | None
    problem: str | None = Field(description="What keeps the newest release out of service")


class RecommendedRecipe(Recommended):
    """A recipe and why it is here."""

    recipe_id: int
    recipe_title: str


class RecommendedRecipes(Provenance):
    """Recipes, best first."""

    recipes: list[RecommendedRecipe]
