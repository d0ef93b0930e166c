"""What the spiders yield and the raw zone holds, one JSON object a line."""

from datetime import UTC, date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from crawlers.fields import MAX_ID, PriceKind

Instant = Annotated[AwareDatetime, AfterValidator(lambda instant: instant.astimezone(UTC))]
ProductId = Annotated[int, Field(gt=0, le=MAX_ID)]
Won = Annotated[int, Field(gt=0, le=MAX_ID)]
Name = Annotated[str, Field(min_length=1)]


class Item(BaseModel):
    """What every item says about its origin: when it was seen, and on which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    observed_at: Instant
    page_url: str


class Priced(Item):
    """What the customer pays, in won; None unless ``price_kind`` is ``amount``."""

    price: Won | None
    price_kind: PriceKind

    @model_validator(mode="after")
    def _price_matches_kind(self) -> Self:
        if (self.price is None) == (self.price_kind == "amount"):
            raise ValueError(f"price {self.price} does not go with price_kind {self.price_kind!r}")
        return self


class KokPrice(Priced):
    """A card of a category list: price and discount rate in percent of one product at one time."""

    kok_product_id: ProductId
    category: str
    discount_rate: int = Field(ge=0, le=100)


class KokProduct(Item):
    """A product page. ``list_price`` is what is struck out; without it the price is the list price."""

    kok_product_id: ProductId
    store_name: Name
    product_name: Name
    list_price: Won | None
    thumbnail_url: str | None
    review_score: float | None = Field(ge=0, le=5)
    review_count: int | None = Field(ge=0, lt=2**31)


class Show(Priced):
    """One product of one show. ``requested_day`` is the day in Korea under which it is filed: the day it starts, or
    for a show on air whose start the page hides (``starts_at`` None) the day of the page.
    """

    channel_id: int
    requested_day: date
    slot: Literal["main", "sub"]
    on_air: bool
    starts_at: Instant | None
    ends_at: Instant
    title: str | None
    source_product_id: ProductId
    product_name: Name
    list_price: Won | None
    thumbnail_url: str | None

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        if self.starts_at is None and not self.on_air:
            raise ValueError("only a show on air may lack its start")
        if self.starts_at is not None and self.starts_at >= self.ends_at:
            raise ValueError(f"the show ends at {self.ends_at} but starts at {self.starts_at}")
        return self
