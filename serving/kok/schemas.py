"""Bodies of the mall routes."""

from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Row

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


class KokImage(BaseModel):
    """A picture of the product's description."""

    kok_img_id: int = Field(description="Its place, from 1")
    kok_product_id: int
    kok_img_url: str


class KokTabs(BaseModel):
    """The product's description."""

    images: list[KokImage]


class KokReviewStats(BaseModel):
    """What all reviews say together; ratios are percent, 0 when unknown."""

    kok_review_score: float
    kok_review_cnt: int
    kok_5_ratio: int
    kok_4_ratio: int
    kok_3_ratio: int
    kok_2_ratio: int
    kok_1_ratio: int
    kok_aspect_price: str
    kok_aspect_price_ratio: int
    kok_aspect_delivery: str
    kok_aspect_delivery_ratio: int
    kok_aspect_taste: str
    kok_aspect_taste_ratio: int


class KokReviewed(BaseModel):
    """A review; the nickname is masked but for its first letter."""

    kok_review_id: int
    kok_product_id: int
    kok_nickname: str
    kok_review_user: str = Field(description="The same as kok_nickname: the frontend reads this one")
    kok_review_date: str = Field(description="YYYY-MM-DD, empty when unknown")
    kok_review_score: int
    kok_price_eval: str
    kok_delivery_eval: str
    kok_taste_eval: str
    kok_review_text: str


class KokReviews(BaseModel):
    """Reviews of a product, newest first."""

    stats: KokReviewStats
    reviews: list[KokReviewed]


class KokSellerInfo(BaseModel):
    """Who sells a product, as its page words it; empty where the page says nothing."""

    kok_co_ceo: str
    kok_co_reg_no: str
    kok_co_ec_reg: str
    kok_tell: str
    kok_ver_item: str
    kok_ver_date: str
    kok_co_addr: str
    kok_return_addr: str


class KokDetail(BaseModel):
    """A line of the product's tables of facts."""

    kok_detail_col: str
    kok_detail_val: str


class KokSellerDetails(BaseModel):
    """Who sells a product, and its tables of facts."""

    seller_info: KokSellerInfo
    detail_info: list[KokDetail]


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


def review_stats(row: Row[Any]) -> KokReviewStats:
    """What all reviews of a product say together, from its row of ``kok_product``."""
    return KokReviewStats(
        kok_review_score=row.review_score or 0.0,
        kok_review_cnt=row.review_count or 0,
        kok_5_ratio=row.five_star_share or 0,
        kok_4_ratio=row.four_star_share or 0,
        kok_3_ratio=row.three_star_share or 0,
        kok_2_ratio=row.two_star_share or 0,
        kok_1_ratio=row.one_star_share or 0,
        kok_aspect_price=row.price_opinion or "",
        kok_aspect_price_ratio=row.price_opinion_share or 0,
        kok_aspect_delivery=row.delivery_opinion or "",
        kok_aspect_delivery_ratio=row.delivery_opinion_share or 0,
        kok_aspect_taste=row.taste_opinion or "",
        kok_aspect_taste_ratio=row.taste_opinion_share or 0,
    )


def review(row: Row[Any]) -> KokReviewed:
    """A row of ``kok_review``."""
    return KokReviewed(
        kok_review_id=row.review_id,
        kok_product_id=row.kok_product_id,
        kok_nickname=row.nickname or "",
        kok_review_user=row.nickname or "",
        kok_review_date=row.written_on.isoformat() if row.written_on else "",
        kok_review_score=row.score or 0,
        kok_price_eval=row.price_opinion or "",
        kok_delivery_eval=row.delivery_opinion or "",
        kok_taste_eval=row.taste_opinion or "",
        kok_review_text=row.text or "",
    )


def seller_info(row: Row[Any] | None) -> KokSellerInfo:
    """A row of ``kok_seller``, None for a product whose page was not read yet."""
    return KokSellerInfo(
        kok_co_ceo=(row and row.ceo_name) or "",
        kok_co_reg_no=(row and row.registration_number) or "",
        kok_co_ec_reg=(row and row.ecommerce_registration) or "",
        kok_tell=(row and row.phone) or "",
        kok_ver_item=(row and row.verified_item) or "",
        kok_ver_date=(row and row.verified_on) or "",
        kok_co_addr=(row and row.address) or "",
        kok_return_addr=(row and row.return_address) or "",
    )
