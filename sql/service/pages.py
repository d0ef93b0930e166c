"""Product page content beyond name and price: reviews, sellers, specification tables, images."""

from datetime import date

from sqlalchemy import BigInteger, Date, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase


class KokSeller(ServiceBase):
    """Seller of a mall product, as worded on the product's page."""

    __tablename__ = "kok_seller"
    __table_args__ = (
        {
            "comment": "Sellers of mall products, as worded on the newest product page",
            "info": {"grain": "one row per product of the mall"},
            **MARIADB,
        },
    )

    kok_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The mall's own id"
    )
    seller_name: Mapped[str | None] = mapped_column(Text, comment="판매자")
    ceo_name: Mapped[str | None] = mapped_column(Text, comment="대표자")
    registration_number: Mapped[str | None] = mapped_column(Text, comment="사업자등록번호")
    ecommerce_registration: Mapped[str | None] = mapped_column(Text, comment="통신판매업신고")
    phone: Mapped[str | None] = mapped_column(Text, comment="연락처")
    verified_item: Mapped[str | None] = mapped_column(Text, comment="인증항목")
    verified_on: Mapped[str | None] = mapped_column(Text, comment="인증일")
    address: Mapped[str | None] = mapped_column(Text, comment="사업장 소재지")
    return_address: Mapped[str | None] = mapped_column(Text, comment="반품지")
    exchange_address: Mapped[str | None] = mapped_column(Text, comment="교환지")


class KokReview(ServiceBase):
    """A review of a mall product; it is kept after the page, which shows only ten, drops it.

    Nicknames are masked and dates repeat, so a hash of the whole content identifies a review.
    """

    __tablename__ = "kok_review"
    __table_args__ = (
        UniqueConstraint("kok_product_id", "content_hash", name="uq_kok_review_key"),
        {
            "comment": "Reviews of mall products, including those that the page no longer shows",
            "info": {"grain": "one row per review"},
            **MARIADB,
        },
    )

    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Surrogate key")
    kok_product_id: Mapped[int] = mapped_column(BigInteger, comment="The mall's own id")
    content_hash: Mapped[str] = mapped_column(
        String(32), comment="Hash of the review and of the number of identical reviews before it on the page"
    )
    nickname: Mapped[str | None] = mapped_column(String(255), comment="Masked except for the first letter")
    written_on: Mapped[date | None] = mapped_column(Date, comment="Date of the review")
    score: Mapped[int | None] = mapped_column(SmallInteger, comment="Stars, 1 to 5")
    price_opinion: Mapped[str | None] = mapped_column(String(255), comment="가격")
    delivery_opinion: Mapped[str | None] = mapped_column(String(255), comment="배송")
    taste_opinion: Mapped[str | None] = mapped_column(String(255), comment="맛")
    text: Mapped[str | None] = mapped_column(Text, comment="What the customer wrote")


class ProductDetail(ServiceBase):
    """A row of the specification tables on a product page."""

    __tablename__ = "product_detail"
    __table_args__ = (
        {
            "comment": "Specification tables of the newest product page",
            "info": {"grain": "one row per line of a product page's tables"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, comment="From 0")
    name: Mapped[str] = mapped_column(String(1000), comment="Heading of the row")
    value: Mapped[str] = mapped_column(Text, comment="Text of the row")


class ProductImage(ServiceBase):
    """An image of a product page's description."""

    __tablename__ = "product_image"
    __table_args__ = (
        {
            "comment": "Description images of the newest product page",
            "info": {"grain": "one row per image of a product page"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, comment="From 0")
    image_url: Mapped[str] = mapped_column(Text, comment="Address of the image")
