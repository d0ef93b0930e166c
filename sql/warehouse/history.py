"""History of catalog and schedule for analysts."""

from datetime import datetime

from sqlalchemy import BigInteger, Double, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.types import UtcDateTime
from sql.warehouse.base import WarehouseBase


class DimProduct(WarehouseBase):
    """A version of a product: slowly changing dimension, type 2."""

    __tablename__ = "dim_product"
    __table_args__ = (
        UniqueConstraint("source", "source_product_id", "valid_from", name="uq_dim_product_version"),
        {
            "comment": "Products with their history: one row per version, the current one has valid_to NULL",
            "info": {"grain": "one row per product and version"},
        },
    )

    product_key: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Surrogate key of this version")
    source: Mapped[str] = mapped_column(String(20), comment="kok, hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(BigInteger, comment="The source's own id")
    product_name: Mapped[str] = mapped_column(Text, comment="Title without the store")
    store_name: Mapped[str | None] = mapped_column(Text, comment="Seller or brand; NULL when unknown")
    thumbnail_url: Mapped[str | None] = mapped_column(Text, comment="Image of the product")
    category: Mapped[str | None] = mapped_column(Text, comment="Code of the mall's category list that shows it")
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime, comment="First crawl that showed this version")
    valid_to: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="First crawl that showed a later version; NULL = current"
    )


class FctPrice(WarehouseBase):
    """A price that holds from ``observed_at`` until the next row of the product."""

    __tablename__ = "fct_price"
    __table_args__ = (
        {
            "comment": "Price history: one row per change",
            "info": {"grain": "one row per product and price change"},
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True, comment="Crawl that showed the price")
    price: Mapped[int | None] = mapped_column(BigInteger, comment="What the customer pays, won; NULL when unknown")
    list_price: Mapped[int | None] = mapped_column(BigInteger, comment="Struck out price, won; NULL when unknown")
    price_kind: Mapped[str] = mapped_column(String(10), comment="amount, consult or unknown")
    discount_rate: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent as the source listed it")


class FctBroadcast(WarehouseBase):
    """One product in one show."""

    __tablename__ = "fct_broadcast"
    __table_args__ = (
        {
            "comment": "Shows: one row per product of a show, cancelled ones included",
            "info": {"grain": "one row per product in a show: channel, start and product"},
        },
    )

    channel_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Channel, 1 to 17"
    )
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True, comment="Start of the show")
    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="End of the show")
    slot: Mapped[str] = mapped_column(String(4), comment="main or sub")
    title: Mapped[str | None] = mapped_column(Text, comment="Title of the show")
    price: Mapped[int | None] = mapped_column(BigInteger, comment="What the customer pays, won; NULL when unknown")
    list_price: Mapped[int | None] = mapped_column(BigInteger, comment="Struck out price, won; NULL when unknown")
    price_kind: Mapped[str] = mapped_column(String(10), comment="amount, consult or unknown")
    discount_rate: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent as the source gives it, else NULL")
    cancelled_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="First crawl that no longer listed it; NULL = scheduled"
    )


class ProductItem(WarehouseBase):
    """The item of a listing: listings of the same product, in the mall and on air, share an ``item_id``."""

    __tablename__ = "product_item"
    __table_args__ = (
        {
            "comment": "Items: listings of the same product across sources and ids, as of the last linking",
            "info": {"grain": "one row per listing of a product"},
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok or a broadcaster")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    item_id: Mapped[str] = mapped_column(
        String(40), index=True, comment="source:source_product_id of the first listing of the item"
    )
    score: Mapped[float] = mapped_column(Double, comment="Title similarity to that listing, 0 to 1")
    method: Mapped[str] = mapped_column(
        String(10),
        comment="first: the first listing; title: same words and amount; remark: same but for a bracketed remark",
    )
