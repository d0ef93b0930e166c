"""A label as it is given on the command line or in a file."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crawlers.parsing import MAX_ID
from crawlers.registry import sources
from pipelines.errors import PipelineError
from recommender.product_ref import ProductRef
from recommender.text import lexicon
from recommender.text.cleaning import LONGEST_TEXT
from recommender.text.title_labels import TitleLabel
from recommender.text.title_words import Kind
from recommender.text.titles import composed

SEPARATOR: Final = "|"
State = Literal["applies", "stale", "not loaded"]


class InvalidLabel(PipelineError):
    """A label says something that cannot be; the message names the field."""


class ProductLabel(BaseModel):
    """What a person says of the title of a product.

    Ingredients are given in any spelling of the word lists and kept by canonical name. ``shows_recipes``: whether one
    cooks with it, by default with ingredients.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    source: str
    product_id: Annotated[int, Field(gt=0, le=MAX_ID)]
    title: Annotated[str, Field(min_length=1, max_length=1000)]
    kind: Kind
    ingredients: tuple[str, ...] = ()
    shows_recipes: bool
    labelled_by: Annotated[str, Field(min_length=1, max_length=100)]
    labelled_at: AwareDatetime
    note: Annotated[str | None, Field(max_length=LONGEST_TEXT)] = None

    @model_validator(mode="before")
    @classmethod
    def _recipes_by_kind(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("shows_recipes") in {None, ""}:
            return values | {"shows_recipes": values.get("kind") == Kind.INGREDIENT}
        return values

    @field_validator("title")
    @classmethod
    def _composed(cls, title: str) -> str:
        return composed(title)

    @field_validator("source")
    @classmethod
    def _is_a_source(cls, source: str) -> str:
        if source not in sources():
            raise ValueError(f"unknown source {source!r}: one of {', '.join(sources())}")
        return source

    @field_validator("ingredients")
    @classmethod
    def _canonical(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = lexicon.ingredients().canonical
        unknown = [name for name in names if name.replace(" ", "").lower() not in known]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not in the word list of ingredients")
        return tuple(dict.fromkeys(known[name.replace(" ", "").lower()] for name in names))

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind is Kind.NONFOOD and (self.ingredients or self.shows_recipes):
            raise ValueError("what is not food has neither ingredients nor recipes")
        return self

    @property
    def ref(self) -> ProductRef:
        """The labelled product."""
        return ProductRef(self.source, self.product_id)

    @property
    def of_title(self) -> TitleLabel:
        """What it says of the title."""
        return TitleLabel(self.title, self.kind, self.ingredients, self.shows_recipes)

    def says_the_same_as(self, other: Self | None) -> bool:
        """Whether another label differs from this one in its time at most."""
        return other is not None and self == other.model_copy(update={"labelled_at": self.labelled_at})

    def state(self, title: str | None) -> State:
        """Whether it applies to the title that the product has now; None if the catalog has no such product."""
        if title is None:
            return "not loaded"
        return "applies" if composed(title) == composed(self.title) else "stale"


def parse_label(values: Mapping[str, object]) -> ProductLabel:
    """Read the fields of a label; raises :class:`InvalidLabel` with the first that is wrong."""
    try:
        return ProductLabel.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "label"
        raise InvalidLabel(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
