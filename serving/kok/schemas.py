"""Bodies of the mall routes."""

from pydantic import BaseModel

from serving.common.clock import KstDateTime
from serving.common.deps import Keyword
from serving.common.history import Searched
from serving.common.money import shown_price
from serving.kok.queries import KokItem


class KokCard(BaseModel):
    """A product in a list; prices and ratings are numbers, 0 when unknown."""

    kok_product_id: int
    kok_thumbnail: str | None
    kok_discount_rate: int
    kok_discounted_price: int
    kok_product_name: str
    kok_store_name: str
    kok_review_cnt: int
    kok_review_score: float
    price_kind: str


class KokCards(BaseModel):
    """A page of products."""

    products: list[KokCard]


class KokFound(KokCard):
    """A product that a search found."""

    kok_product_price: int


class KokSearch(BaseModel):
    """A page of what a search found, and how much there is."""

    total: int
    page: int
    size: int
    products: list[KokFound]


class KokInfo(BaseModel):
    """A product's page."""

    kok_product_id: int
    kok_product_name: str
    kok_store_name: str
    kok_thumbnail: str
    kok_product_price: int
    kok_discount_rate: int
    kok_discounted_price: int
    kok_review_cnt: int
    is_liked: bool = False
    price_kind: str


class KokHistoryEntry(BaseModel):
    """A keyword that the user searched for."""

    kok_history_id: int
    user_id: int
    kok_keyword: str
    kok_searched_at: KstDateTime


class KokHistory(BaseModel):
    """Keywords, newest first."""

    history: list[KokHistoryEntry]


class KokSaved(BaseModel):
    """The stored keyword."""

    message: str
    saved: KokHistoryEntry


class SearchKeyword(BaseModel):
    """A keyword to remember."""

    keyword: Keyword


class Message(BaseModel):
    """That it was done."""

    message: str


def card(item: KokItem) -> KokCard:
    """A product as lists show it."""
    return KokCard(
        kok_product_id=item.product_id,
        kok_thumbnail=item.thumbnail,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=item.price or 0,
        kok_product_name=item.name,
        kok_store_name=item.store,
        kok_review_cnt=item.review_count,
        kok_review_score=item.review_score,
        price_kind=item.price_kind,
    )


def found(item: KokItem) -> KokFound:
    """A product as a search shows it."""
    price = shown_price(item.list_price, item.price, item.price_kind)
    return KokFound(**card(item).model_dump(), kok_product_price=price.sale)


def info(item: KokItem) -> KokInfo:
    """A product's page."""
    price = shown_price(item.list_price, item.price, item.price_kind)
    return KokInfo(
        kok_product_id=item.product_id,
        kok_product_name=item.name,
        kok_store_name=item.store,
        kok_thumbnail=item.thumbnail or "",
        kok_product_price=price.sale,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=price.dc,
        kok_review_cnt=item.review_count,
        price_kind=price.kind,
    )


def history_entry(row: Searched) -> KokHistoryEntry:
    """A stored keyword."""
    return KokHistoryEntry(
        kok_history_id=row.history_id, user_id=row.user_id, kok_keyword=row.keyword, kok_searched_at=row.searched_at
    )
