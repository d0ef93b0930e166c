"""What every recommendation says about itself, and the bodies of the recommendation routes."""

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


class ReleaseInService(BaseModel):
    """The release that answers."""

    version: str | None
    built_at: datetime | None
    problem: str | None = Field(description="What keeps the newest release out of service")


class RecommendedRecipe(BaseModel):
    """A recipe and why it is here."""

    recipe_id: int
    recipe_title: str
    reason: str


class RecommendedRecipes(Provenance):
    """Recipes, best first."""

    recipes: list[RecommendedRecipe]
