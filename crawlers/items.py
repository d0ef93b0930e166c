"""Items that the spiders yield and the raw zone holds, one JSON object a line."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from crawlers.charset import garbled
from crawlers.parsing import MAX_ID, PriceKind, kst_day
from ukok.text import clean


def _readable(text: str) -> str:
    """Clean a text, so that both databases hold the same. Raise ``ValueError`` if it was read in a wrong charset."""
    if (reason := garbled(text)) is not None:
        raise ValueError(reason)
    return clean(text)


def _visible_name(text: str) -> str:
    name = _readable(text)
    if not name:
        raise ValueError(f"{text!r} has no visible character")
    return name


def _text_or_none(text: str | None) -> str | None:
    return None if text is None else _readable(text) or None


Instant = Annotated[AwareDatetime, AfterValidator(lambda instant: instant.astimezone(UTC))]
ProductId = Annotated[int, Field(gt=0, le=MAX_ID)]
Won = Annotated[int, Field(gt=0, le=MAX_ID)]
Name = Annotated[str, AfterValidator(_visible_name)]
Text = Annotated[str, AfterValidator(_readable)]
OptionalText = Annotated[str | None, AfterValidator(_text_or_none)]
Rate = Annotated[int, Field(ge=0, le=100)]

CATEGORIES = tuple(f"16{number}" for number in (11, *range(13, 25)))
"""Codes of the mall's category lists."""


class Item(BaseModel):
    """Base of all items: when and on which page it was observed. ``dataset``: the raw dataset that it belongs to.

    ``unread``: fields whose part of the source could not be read, unlike those that the source leaves empty. Loading
    keeps what it knows of them.
    """

    dataset: ClassVar[str]
    model_config = ConfigDict(extra="forbid", frozen=True)

    observed_at: Instant
    page_url: str
    unread: tuple[str, ...] = ()


ItemOrItems = Item | list[Item]
"""What a spider yields: an item, or all items of a page as a list, which costs Scrapy no more than one item."""


class Priced(Item):
    """An item with a price: what the customer pays, in won; None unless ``price_kind`` is ``amount``.

    ``no_price``: the fields that say what it costs, as they are where that is unknown.
    """

    no_price: ClassVar[Mapping[str, object]] = {"price": None, "price_kind": "unknown"}

    price: Won | None
    price_kind: PriceKind

    @property
    def price_label(self) -> str | None:
        """The price in words; None if it is unknown."""
        if self.price is not None:
            return f"{self.price:,} won"
        return None if self.price_kind == "unknown" else "on request"

    def without_price(self) -> Self:
        """Return the item with all that says what it costs marked as unread."""
        unread = tuple(dict.fromkeys((*self.unread, *self.no_price)))
        return self.model_copy(update={**self.no_price, "unread": unread})

    @model_validator(mode="after")
    def _price_matches_kind(self) -> Self:
        if (self.price is None) == (self.price_kind == "amount"):
            raise ValueError(f"price {self.price} does not go with price_kind {self.price_kind!r}")
        return self


class KokPrice(Priced):
    """A card of a category list: price and discount rate (percent) of a product."""

    dataset: ClassVar = "prices"
    no_price: ClassVar = {**Priced.no_price, "discount_rate": 0}

    kok_product_id: ProductId
    category: str
    discount_rate: Rate

    @property
    def row(self) -> tuple[str, int]:
        """What the row is of: a list has a product once."""
        return self.category, self.kok_product_id

    @property
    def listed_price(self) -> str | None:
        """The price as the listing shows it, as text; None if it is unknown."""
        return None if self.price_kind == "unknown" else f"{self.price_kind} {self.price} {self.discount_rate}"


class Part(BaseModel):
    """Base of the parts of an item, which have no origin of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Detail(Part):
    """A row of the table of product facts, in the page's words."""

    name: Name
    value: Text


class Review(Part):
    """A customer's review. The nickname is masked: only its first letter is stored."""

    nickname: OptionalText
    written_on: date | None
    score: int | None = Field(ge=1, le=5)
    price_opinion: OptionalText
    delivery_opinion: OptionalText
    taste_opinion: OptionalText
    text: OptionalText


class Aspect(Part):
    """The most frequent opinion on one aspect of a product, and the percentage of customers who share it."""

    opinion: Text
    share: int | None = Field(ge=0, le=100)


class Seller(Part):
    """The seller of a product: the legally required details, in the page's words."""

    seller_name: OptionalText
    ceo_name: OptionalText
    registration_number: OptionalText
    ecommerce_registration: OptionalText
    phone: OptionalText
    verified_item: OptionalText
    verified_on: OptionalText
    address: OptionalText
    return_address: OptionalText
    exchange_address: OptionalText


class KokProduct(Item):
    """A product page of the mall. ``list_price``: the crossed-out price; None if the product is not discounted.

    ``rating_shares``: percentage of the reviews with 5, 4, 3, 2 and 1 stars. ``images``: those of the description, in
    order.
    """

    dataset: ClassVar = "products"
    kok_product_id: ProductId
    store_name: Name
    product_name: Name
    list_price: Won | None
    thumbnail_url: str | None
    review_score: float | None = Field(ge=0, le=5)
    review_count: int | None = Field(ge=0, lt=2**31)
    rating_shares: tuple[int, int, int, int, int] | None = None
    price_aspect: Aspect | None = None
    delivery_aspect: Aspect | None = None
    taste_aspect: Aspect | None = None
    seller: Seller | None = None
    details: tuple[Detail, ...] = ()
    images: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()


class HomeShoppingProduct(Priced):
    """A broadcaster's product page. ``product_name`` and ``store_name`` are None where the source's page has none.

    ``discount_rate``: percent as the page gives it. ``images``: those of the description, in order. ``description``:
    its text.
    """

    dataset: ClassVar = "products"
    source_product_id: ProductId
    product_name: OptionalText
    store_name: OptionalText
    list_price: Won | None
    discount_rate: Rate | None = None
    details: tuple[Detail, ...] = ()
    images: tuple[str, ...] = ()
    description: OptionalText = None


Product = KokProduct | HomeShoppingProduct


class Show(Priced):
    """A product in a show. ``requested_day``: the day in Korea under which it is filed, which is the day it starts, or
    the day of the page for a show on air whose start the page hides (``starts_at`` None). ``discount_rate``: percent as
    the schedule gives it.
    """

    dataset: ClassVar = "schedule"
    no_price: ClassVar = {**Priced.no_price, "list_price": None, "discount_rate": None}

    channel_id: int
    requested_day: date
    slot: Literal["main", "sub"]
    on_air: bool
    starts_at: Instant | None
    ends_at: Instant
    title: OptionalText
    source_product_id: ProductId
    product_name: Name
    list_price: Won | None
    discount_rate: Rate | None = None
    thumbnail_url: str | None

    @property
    def row(self) -> tuple[int, datetime, bool, int]:
        """What the row is of: a show has a product once."""
        return self.channel_id, self.starts_at or self.ends_at, self.on_air, self.source_product_id

    @property
    def listed_price(self) -> str | None:
        """The price as the listing shows it, as text; None if it is unknown."""
        return None if self.price_kind == "unknown" else f"{self.price_kind} {self.price} {self.list_price}"

    @property
    def is_past(self) -> bool:
        """Whether its day was over when it was observed: its price need not be the present one."""
        return self.requested_day < kst_day(self.observed_at)

    @property
    def length(self) -> timedelta | None:
        """Duration of the show; None while its start is unknown."""
        return None if self.starts_at is None else self.ends_at - self.starts_at

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        if self.starts_at is None and not self.on_air:
            raise ValueError("only a show on air may lack its start")
        if self.starts_at is not None and self.starts_at >= self.ends_at:
            raise ValueError(f"the show ends at {self.ends_at} but starts at {self.starts_at}")
        return self
