"""Catalog read by the API: mall products, prices, channels, broadcasts, and attributes derived from their titles."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Double, Integer, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class KokProduct(ServiceBase):
    """A product of the mall U+콕 as its page last showed it.

    Prices are in :class:`KokPrice`, the rest of the page in :mod:`sql.service.pages`.
    """

    __tablename__ = "kok_product"
    __table_args__ = (
        {"comment": "Products of the mall U+콕", "info": {"grain": "one row per product of the mall"}, **MARIADB},
    )

    kok_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The mall's own id"
    )
    store_name: Mapped[str] = mapped_column(String(255), comment="Store")
    product_name: Mapped[str] = mapped_column(String(1000), comment="Without the store name")
    list_price: Mapped[int | None] = mapped_column(BigInteger, comment="Won; NULL when unknown")
    thumbnail_url: Mapped[str | None] = mapped_column(Text, comment="Image of the product")
    review_score: Mapped[float | None] = mapped_column(Double, comment="Mean stars, 0 to 5; NULL when unknown")
    category: Mapped[str | None] = mapped_column(
        String(20), comment="Code of the category list that shows it; NULL when unknown"
    )
    review_count: Mapped[int | None] = mapped_column(Integer, comment="Number of reviews; NULL when unknown")
    five_star_share: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent of the reviews")
    four_star_share: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent of the reviews")
    three_star_share: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent of the reviews")
    two_star_share: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent of the reviews")
    one_star_share: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent of the reviews")
    price_opinion: Mapped[str | None] = mapped_column(String(255), comment="Most frequent opinion on the price")
    price_opinion_share: Mapped[int | None] = mapped_column(
        SmallInteger, comment="Percent of the reviews with that opinion"
    )
    delivery_opinion: Mapped[str | None] = mapped_column(String(255), comment="Most frequent opinion on the delivery")
    delivery_opinion_share: Mapped[int | None] = mapped_column(
        SmallInteger, comment="Percent of the reviews with that opinion"
    )
    taste_opinion: Mapped[str | None] = mapped_column(String(255), comment="Most frequent opinion on the taste")
    taste_opinion_share: Mapped[int | None] = mapped_column(
        SmallInteger, comment="Percent of the reviews with that opinion"
    )
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="First crawl that listed it")
    vanished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="NULL while the product is listed")
    is_food: Mapped[bool] = mapped_column(Boolean, comment="Whether the title was resolved as food")
    is_ingredient: Mapped[bool] = mapped_column(Boolean, comment="Raw cooking ingredient rather than a finished dish")
    kind: Mapped[str | None] = mapped_column(
        String(12),
        comment="ingredient, ready, snack, drink, supplement or nonfood; NULL until the title is resolved",
    )
    product_types: Mapped[str | None] = mapped_column(
        String(255),
        comment="What the title says the product is, its head first, separated by |; NULL where it does not say",
    )
    recipe_probability: Mapped[float | None] = mapped_column(
        Double, comment="Probability that somebody cooks with it, 0 to 1; NULL until the title is resolved"
    )
    resolver_version: Mapped[str] = mapped_column(String(64), comment="Version of the rules that resolved the title")


class KokPrice(ServiceBase):
    """A price of a mall product that holds from ``observed_at`` until the next row of the same product."""

    __tablename__ = "kok_price"
    __table_args__ = (
        {
            "comment": "Price history: one row per change of price or rate",
            "info": {"grain": "one row per product and price change"},
            **MARIADB,
        },
    )

    kok_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The mall's own id"
    )
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True, comment="Crawl that showed the price")
    price: Mapped[int | None] = mapped_column(BigInteger, comment="What the customer pays, won; NULL when unknown")
    price_kind: Mapped[str] = mapped_column(String(10), comment="amount, consult or unknown")
    discount_rate: Mapped[int] = mapped_column(SmallInteger, comment="Percent as listed")


class Channel(ServiceBase):
    """A television channel."""

    __tablename__ = "channel"
    __table_args__ = (
        {
            "comment": "Television channels; source is NULL where the schedule is not crawled",
            "info": {"grain": "one row per television channel"},
            **MARIADB,
        },
    )

    channel_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Id in the API and in broadcast"
    )
    channel_name: Mapped[str] = mapped_column(String(100), comment="Name that the frontend shows")
    channel_number: Mapped[int] = mapped_column(Integer, comment="Number on television")
    source: Mapped[str | None] = mapped_column(
        String(20), comment="Broadcaster whose schedule is crawled; NULL without one"
    )
    stream_url: Mapped[str | None] = mapped_column(Text, comment="Live stream; NULL when unknown")


class HomeShoppingProduct(ServiceBase):
    """A product sold in broadcasts, as last seen in schedules and on its page; see :mod:`sql.service.pages`."""

    __tablename__ = "home_shopping_product"
    __table_args__ = (
        {
            "comment": "Products sold in broadcasts",
            "info": {"grain": "one row per product of a broadcaster"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    product_name: Mapped[str] = mapped_column(String(1000), comment="Title without the store")
    store_name: Mapped[str | None] = mapped_column(String(255), comment="Seller or brand; NULL when unknown")
    list_price: Mapped[int | None] = mapped_column(BigInteger, comment="Struck out price, won; NULL when unknown")
    price: Mapped[int | None] = mapped_column(BigInteger, comment="What the customer pays, won; NULL when unknown")
    price_kind: Mapped[str] = mapped_column(String(10), comment="amount, consult or unknown")
    discount_rate: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent as the source gives it, else NULL")
    thumbnail_url: Mapped[str | None] = mapped_column(Text, comment="Image of the product")
    description: Mapped[str | None] = mapped_column(Text, comment="Text of the page's description; NULL without one")
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="First crawl that showed it")
    is_food: Mapped[bool] = mapped_column(Boolean, comment="Whether the title was resolved as food")
    is_ingredient: Mapped[bool] = mapped_column(Boolean, comment="Raw cooking ingredient rather than a finished dish")
    kind: Mapped[str | None] = mapped_column(
        String(12),
        comment="ingredient, ready, snack, drink, supplement or nonfood; NULL until the title is resolved",
    )
    product_types: Mapped[str | None] = mapped_column(
        String(255),
        comment="What the title says the product is, its head first, separated by |; NULL where it does not say",
    )
    recipe_probability: Mapped[float | None] = mapped_column(
        Double, comment="Probability that somebody cooks with it, 0 to 1; NULL until the title is resolved"
    )
    resolver_version: Mapped[str] = mapped_column(String(64), comment="Version of the rules that resolved the title")


class Broadcast(ServiceBase):
    """One product in one show. ``broadcast_id`` is the API's ``live_id``; it survives re-crawls and moves in a day."""

    __tablename__ = "broadcast"
    __table_args__ = (
        UniqueConstraint("channel_id", "starts_at", "source", "source_product_id", name="uq_broadcast_key"),
        {
            "comment": "Shows: one row per product of a show",
            "info": {"grain": "one row per product in a show: channel, start and product"},
            **MARIADB,
        },
    )

    broadcast_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, comment="Id of the show in the API (live_id)"
    )
    channel_id: Mapped[int] = mapped_column(BigInteger, comment="Channel")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Start of the show")
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="End of the show")
    source: Mapped[str] = mapped_column(String(20), comment="hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(BigInteger, comment="The source's own id")
    slot: Mapped[str] = mapped_column(String(4), comment="main or sub")
    title: Mapped[str | None] = mapped_column(String(500), comment="Title of the show")
    list_price: Mapped[int | None] = mapped_column(BigInteger, comment="Struck out price, won; NULL when unknown")
    price: Mapped[int | None] = mapped_column(BigInteger, comment="What the customer pays, won; NULL when unknown")
    price_kind: Mapped[str] = mapped_column(String(10), comment="amount, consult or unknown")
    discount_rate: Mapped[int | None] = mapped_column(SmallInteger, comment="Percent as the source gives it, else NULL")
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="NULL while the show is scheduled")


class ProductIngredient(ServiceBase):
    """An ingredient that a product's title was resolved to, the main one at position 0."""

    __tablename__ = "product_ingredient"
    __table_args__ = (
        {
            "comment": "Ingredients resolved from product titles",
            "info": {"grain": "one row per ingredient of a product"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall or nsmall")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    position: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="0 for the main ingredient"
    )
    ingredient_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="Resolved ingredient")


class SearchDocument(ServiceBase):
    """Search tokens of a product or recipe, written by the load step so that search is the same on every engine."""

    __tablename__ = "search_document"
    __table_args__ = (
        {"comment": "Search tokens by document", "info": {"grain": "one row per product or recipe"}, **MARIADB},
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall, nsmall or recipes")
    document_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Product or recipe id"
    )
    tokens: Mapped[str] = mapped_column(Text, comment="Separated by single spaces")


class ProductItem(ServiceBase):
    """The item of a listing: listings of the same product, in the mall and on air, share an ``item_id``."""

    __tablename__ = "product_item"
    __table_args__ = (
        {
            "comment": "Items: listings of the same product across sources and ids",
            "info": {"grain": "one row per listing of a product"},
            **MARIADB,
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


class LoadedFile(ServiceBase):
    """Ledger of raw files; a row is written in the transaction that loads the file."""

    __tablename__ = "loaded_file"
    __table_args__ = (
        {
            "comment": "Raw files already loaded into this database",
            "info": {"grain": "one row per raw file"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall, nsmall or recipes")
    dataset: Mapped[str] = mapped_column(String(40), primary_key=True, comment="prices, products, schedule, recipes")
    run_id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Crawl that wrote the file")
    day: Mapped[str] = mapped_column(String(10), comment="KST date of the crawl")
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Wall clock of the load")
    rows_read: Mapped[int] = mapped_column(BigInteger, comment="Items in the file")
    status: Mapped[str] = mapped_column(
        String(10),
        server_default="loaded",
        comment="loaded; overtaken if it was held back until newer files took its place",
    )
    held_scopes: Mapped[str | None] = mapped_column(
        Text, comment="Scopes that are held back and not loaded, one a line; NULL without any"
    )


class DataVersion(ServiceBase):
    """Version counter of a dataset, incremented when a load changes rows; caches are keyed by it."""

    __tablename__ = "data_version"
    __table_args__ = (
        {
            "comment": "Version counter of each dataset, incremented by each load that changes rows",
            "info": {"grain": "one row per dataset"},
            **MARIADB,
        },
    )

    dataset: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, schedule or recipes")
    version: Mapped[int] = mapped_column(BigInteger, comment="Larger after each change")
