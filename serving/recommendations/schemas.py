"""Fields that recommendations of several services share."""

from pydantic import BaseModel, Field

from serving.recommendations.stages import Stage
from serving.web.fields import MaterialName, ReleaseVersion


class Provenance(BaseModel):
    """What answered, for a list of recommendations."""

    release_version: ReleaseVersion | None
    stage: Stage | None = Field(
        description="Which stage answered; null when there is nothing to recommend", examples=["release"]
    )
    fallback: bool = Field(description="Something simpler than the release answered", examples=[False])


class ItemProvenance(BaseModel):
    """Why an item is recommended, and what recommends it."""

    reason: str = Field(
        description="`contains:` or `uses:` ingredients, `similar`, `title:` what it names, `viewed:` and the name of "
        "what was viewed (`viewed` alone where that is not in the catalog), `season:` an ingredient, or `popular`",
        examples=["contains:감자"],
    )
    release_version: ReleaseVersion | None
    stage: Stage = Field(description="Which stage answered", examples=["release"])
    fallback: bool = Field(description="Something simpler than the release answered", examples=[False])


class Complement(ItemProvenance):
    """An ingredient that goes with others."""

    reason: str = Field(
        description="`with:` the given ingredients that speak most for it, `title:` the title that does, or `popular` "
        "where neither says more than that many recipes have it",
        examples=["with:감자"],
    )
    ingredient: str = Field(examples=["양파"])


class UsedIngredient(BaseModel):
    """A given ingredient that the recipe uses, with what its lines say together, or the first where units differ."""

    material_name: MaterialName
    measure_amount: float | None = Field(description="null when the recipe says none or 약간", examples=[1.5])
    measure_unit: str | None = Field(examples=["개"])
