"""Baseline of the service database: accounts, catalog, recipes, the ledger, and the television channels."""

import sqlalchemy as sa
from alembic import op

from sql.migrations.ddl import UTC_DATETIME, create_table

revision = "20261130_service_baseline"
down_revision = None

CHANNELS = (
    (1, "홈앤쇼핑", 4, "hnsmall", "https://s32.qtcdn.co.kr/media/liveM3U8/idx/669128309/enc/129701903/playlist.m3u8"),
    (2, "현대홈쇼핑", 12, "hmall", "https://cdnlive.hmall.com/live/hmall.stream/chunklist.m3u8"),
    (3, "현대홈쇼핑+샵", 34, "hmall", "https://dtvstreaming.hyundaihmall.com/newcjp3/cjpstream_1M/chunklist.m3u8"),
    (4, "NS홈쇼핑", 13, "nsmall", "https://livestream.nsmall.com/IPHONE/nsmallMobile.m3u8"),
    (5, "NS샵+", 41, "nsmall", "https://shoppstream.nsmall.com/IPHONE/mobile.m3u8"),
    (6, "공영쇼핑", 20, None, None),
    (7, "GS샵 LIVE", 6, None, None),
    (8, "GS마이샵", 30, None, None),
    (9, "CJ온스타일", 8, None, None),
    (10, "CJ온스타일플러스", 32, None, None),
    (11, "롯데홈쇼핑", 10, None, None),
    (12, "롯데 OneTV", 36, None, None),
    (13, "KT 알파쇼핑", 2, None, None),
    (14, "SK 스토어", 17, None, None),
    (15, "신세계쇼핑", 21, None, None),
    (16, "W쇼핑", 28, None, None),
    (17, "쇼핑엔터", 37, None, None),
)


def upgrade() -> None:
    create_table(
        "user_account",
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="Id of the account"),
        sa.Column("email", sa.String(320), nullable=False, comment="Login name, lower case"),
        sa.Column("username", sa.String(100), nullable=False, comment="Name that the frontend shows"),
        sa.Column("password_hash", sa.String(255), nullable=False, comment="argon2id"),
        sa.Column("created_at", UTC_DATETIME, nullable=False, comment="Sign-up"),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_account"),
        sa.UniqueConstraint("email", name="uq_user_account_email"),
        comment="Accounts of the service",
    )

    create_table(
        "login_session",
        sa.Column(
            "session_id",
            sa.String(64),
            nullable=False,
            comment="Claim sid of its access tokens; SHA-256 of a token without that claim",
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL after the account is deleted"),
        sa.Column("started_at", UTC_DATETIME, nullable=False, comment="When the user logged in"),
        sa.Column("access_until", UTC_DATETIME, nullable=False, comment="Expiry of its last access token"),
        sa.Column(
            "revoked_at",
            UTC_DATETIME,
            nullable=True,
            comment="Logout, reuse of a refresh token or deletion of the account; NULL while valid",
        ),
        sa.PrimaryKeyConstraint("session_id", name="pk_login_session"),
        comment="Login sessions; rows without valid tokens may be deleted",
    )
    op.create_index("ix_login_session_revoked_at", "login_session", ["revoked_at"], if_not_exists=True)
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"], if_not_exists=True)

    create_table(
        "refresh_token",
        sa.Column("token_sha256", sa.String(64), nullable=False, comment="SHA-256 of the token, hex"),
        sa.Column("session_id", sa.String(64), nullable=False, comment="Login session that it extends"),
        sa.Column("issued_at", UTC_DATETIME, nullable=False, comment="When the token was issued"),
        sa.Column("expires_at", UTC_DATETIME, nullable=False, comment="End of validity"),
        sa.Column(
            "used_at", UTC_DATETIME, nullable=True, comment="When it was exchanged; a second use is treated as theft"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_refresh_token"),
        comment="Refresh tokens by their hash; rows past expires_at may be deleted",
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"], if_not_exists=True)

    create_table(
        "erased_user",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Never reused"),
        sa.Column("erased_at", UTC_DATETIME, nullable=False, comment="When the account was deleted"),
        sa.PrimaryKeyConstraint("user_id", name="pk_erased_user"),
        comment="Deleted accounts: no other table may hold these ids",
    )

    create_table(
        "search_history",
        sa.Column("search_history_id", sa.BigInteger(), nullable=False, comment="Id that the API deletes by"),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="Account that searched"),
        sa.Column("service", sa.String(20), nullable=False, comment="kok or home_shopping"),
        sa.Column("keyword", sa.String(255), nullable=False, comment="Keyword"),
        sa.Column("searched_at", UTC_DATETIME, nullable=False, comment="When the keyword was saved"),
        sa.PrimaryKeyConstraint("search_history_id", name="pk_search_history"),
        comment="Search keywords by user",
    )
    op.create_index("ix_search_history_user_id", "search_history", ["user_id"], if_not_exists=True)

    create_table(
        "recipe_rating",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Rated recipe"),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Account that rated"),
        sa.Column("rating", sa.SmallInteger(), nullable=False, comment="0 to 5"),
        sa.Column("rated_at", UTC_DATETIME, nullable=False, comment="Latest rating"),
        sa.PrimaryKeyConstraint("recipe_id", "user_id", name="pk_recipe_rating"),
        comment="Latest rating by user and recipe, 0 to 5",
    )

    create_table(
        "channel",
        sa.Column(
            "channel_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Id in the API and in broadcast"
        ),
        sa.Column("channel_name", sa.String(100), nullable=False, comment="Name that the frontend shows"),
        sa.Column("channel_number", sa.Integer(), nullable=False, comment="Number on television"),
        sa.Column(
            "source", sa.String(20), nullable=True, comment="Broadcaster whose schedule is crawled; NULL without one"
        ),
        sa.Column("stream_url", sa.Text(), nullable=True, comment="Live stream; NULL when unknown"),
        sa.PrimaryKeyConstraint("channel_id", name="pk_channel"),
        comment="Television channels; source is NULL where the schedule is not crawled",
    )

    create_table(
        "kok_product",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The mall's own id"),
        sa.Column("store_name", sa.String(255), nullable=False, comment="Store"),
        sa.Column("product_name", sa.String(1000), nullable=False, comment="Without the store name"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Won; NULL when unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True, comment="Image of the product"),
        sa.Column("review_score", sa.Double(), nullable=True, comment="Mean stars, 0 to 5; NULL when unknown"),
        sa.Column("review_count", sa.Integer(), nullable=True, comment="Number of reviews; NULL when unknown"),
        sa.Column("first_seen_at", UTC_DATETIME, nullable=False, comment="First crawl that listed it"),
        sa.Column("vanished_at", UTC_DATETIME, nullable=True, comment="NULL while the product is listed"),
        sa.Column("is_food", sa.Boolean(), nullable=False, comment="Whether the title was resolved as food"),
        sa.Column(
            "is_ingredient", sa.Boolean(), nullable=False, comment="Raw cooking ingredient rather than a finished dish"
        ),
        sa.Column(
            "resolver_version", sa.String(64), nullable=False, comment="Version of the rules that resolved the title"
        ),
        sa.Column("five_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews"),
        sa.Column("four_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews"),
        sa.Column("three_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews"),
        sa.Column("two_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews"),
        sa.Column("one_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews"),
        sa.Column("price_opinion", sa.String(255), nullable=True, comment="Most frequent opinion on the price"),
        sa.Column(
            "price_opinion_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews with that opinion"
        ),
        sa.Column("delivery_opinion", sa.String(255), nullable=True, comment="Most frequent opinion on the delivery"),
        sa.Column(
            "delivery_opinion_share",
            sa.SmallInteger(),
            nullable=True,
            comment="Percent of the reviews with that opinion",
        ),
        sa.Column("taste_opinion", sa.String(255), nullable=True, comment="Most frequent opinion on the taste"),
        sa.Column(
            "taste_opinion_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews with that opinion"
        ),
        sa.PrimaryKeyConstraint("kok_product_id", name="pk_kok_product"),
        comment="Products of the mall U+콕",
    )

    create_table(
        "kok_price",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The mall's own id"),
        sa.Column("observed_at", UTC_DATETIME, nullable=False, comment="Crawl that showed the price"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("discount_rate", sa.SmallInteger(), nullable=False, comment="Percent as listed"),
        sa.PrimaryKeyConstraint("kok_product_id", "observed_at", name="pk_kok_price"),
        comment="Price history: one row per change of price or rate",
    )

    create_table(
        "kok_seller",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The mall's own id"),
        sa.Column("seller_name", sa.Text(), nullable=True, comment="판매자"),
        sa.Column("ceo_name", sa.Text(), nullable=True, comment="대표자"),
        sa.Column("registration_number", sa.Text(), nullable=True, comment="사업자등록번호"),
        sa.Column("ecommerce_registration", sa.Text(), nullable=True, comment="통신판매업신고"),
        sa.Column("phone", sa.Text(), nullable=True, comment="연락처"),
        sa.Column("verified_item", sa.Text(), nullable=True, comment="인증항목"),
        sa.Column("verified_on", sa.Text(), nullable=True, comment="인증일"),
        sa.Column("address", sa.Text(), nullable=True, comment="사업장 소재지"),
        sa.Column("return_address", sa.Text(), nullable=True, comment="반품지"),
        sa.Column("exchange_address", sa.Text(), nullable=True, comment="교환지"),
        sa.PrimaryKeyConstraint("kok_product_id", name="pk_kok_seller"),
        comment="Sellers of mall products, as worded on the newest product page",
    )

    create_table(
        "kok_review",
        sa.Column("review_id", sa.BigInteger(), nullable=False, comment="Surrogate key"),
        sa.Column("kok_product_id", sa.BigInteger(), nullable=False, comment="The mall's own id"),
        sa.Column(
            "content_hash",
            sa.String(32),
            nullable=False,
            comment="Hash of the review and of the number of identical reviews before it on the page",
        ),
        sa.Column("nickname", sa.String(255), nullable=True, comment="Masked except for the first letter"),
        sa.Column("written_on", sa.Date(), nullable=True, comment="Date of the review"),
        sa.Column("score", sa.SmallInteger(), nullable=True, comment="Stars, 1 to 5"),
        sa.Column("price_opinion", sa.String(255), nullable=True, comment="가격"),
        sa.Column("delivery_opinion", sa.String(255), nullable=True, comment="배송"),
        sa.Column("taste_opinion", sa.String(255), nullable=True, comment="맛"),
        sa.Column("text", sa.Text(), nullable=True, comment="What the customer wrote"),
        sa.PrimaryKeyConstraint("review_id", name="pk_kok_review"),
        sa.UniqueConstraint("kok_product_id", "content_hash", name="uq_kok_review_key"),
        comment="Reviews of mall products, including those that the page no longer shows",
    )

    create_table(
        "home_shopping_product",
        sa.Column("source", sa.String(20), nullable=False, comment="hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("product_name", sa.String(1000), nullable=False, comment="Title without the store"),
        sa.Column("store_name", sa.String(255), nullable=True, comment="Seller or brand; NULL when unknown"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True, comment="Image of the product"),
        sa.Column("first_seen_at", UTC_DATETIME, nullable=False, comment="First crawl that showed it"),
        sa.Column("is_food", sa.Boolean(), nullable=False, comment="Whether the title was resolved as food"),
        sa.Column(
            "is_ingredient", sa.Boolean(), nullable=False, comment="Raw cooking ingredient rather than a finished dish"
        ),
        sa.Column(
            "resolver_version", sa.String(64), nullable=False, comment="Version of the rules that resolved the title"
        ),
        sa.Column("description", sa.Text(), nullable=True, comment="Text of the page's description; NULL without one"),
        sa.PrimaryKeyConstraint("source", "source_product_id", name="pk_home_shopping_product"),
        comment="Products sold in broadcasts",
    )

    create_table(
        "broadcast",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False, comment="Id of the show in the API (live_id)"),
        sa.Column("channel_id", sa.BigInteger(), nullable=False, comment="Channel"),
        sa.Column("starts_at", UTC_DATETIME, nullable=False, comment="Start of the show"),
        sa.Column("ends_at", UTC_DATETIME, nullable=False, comment="End of the show"),
        sa.Column("source", sa.String(20), nullable=False, comment="hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), nullable=False, comment="The source's own id"),
        sa.Column("slot", sa.String(4), nullable=False, comment="main or sub"),
        sa.Column("title", sa.String(500), nullable=True, comment="Title of the show"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("cancelled_at", UTC_DATETIME, nullable=True, comment="NULL while the show is scheduled"),
        sa.PrimaryKeyConstraint("broadcast_id", name="pk_broadcast"),
        sa.UniqueConstraint("channel_id", "starts_at", "source", "source_product_id", name="uq_broadcast_key"),
        comment="Shows: one row per product of a show",
    )

    create_table(
        "product_detail",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="From 0"),
        sa.Column("name", sa.String(1000), nullable=False, comment="Heading of the row"),
        sa.Column("value", sa.Text(), nullable=False, comment="Text of the row"),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name="pk_product_detail"),
        comment="Specification tables of the newest product page",
    )

    create_table(
        "product_image",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="From 0"),
        sa.Column("image_url", sa.Text(), nullable=False, comment="Address of the image"),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name="pk_product_image"),
        comment="Description images of the newest product page",
    )

    create_table(
        "product_ingredient",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column(
            "position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="0 for the main ingredient"
        ),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False, comment="Resolved ingredient"),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name="pk_product_ingredient"),
        comment="Ingredients resolved from product titles",
    )
    op.create_index("ix_product_ingredient_ingredient_id", "product_ingredient", ["ingredient_id"], if_not_exists=True)

    create_table(
        "product_item",
        sa.Column("source", sa.String(20), nullable=False, comment="kok or a broadcaster"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column(
            "item_id",
            sa.String(40),
            nullable=False,
            comment="source:source_product_id of the first listing of the item",
        ),
        sa.Column("score", sa.Double(), nullable=False, comment="Title similarity to that listing, 0 to 1"),
        sa.Column(
            "method",
            sa.String(10),
            nullable=False,
            comment="first: the first listing; title: same words and amount; remark: same but for a bracketed remark",
        ),
        sa.PrimaryKeyConstraint("source", "source_product_id", name="pk_product_item"),
        comment="Items: listings of the same product across sources and ids",
    )
    op.create_index("ix_product_item_item_id", "product_item", ["item_id"], if_not_exists=True)

    create_table(
        "search_document",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall, nsmall or recipes"),
        sa.Column("document_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Product or recipe id"),
        sa.Column("tokens", sa.Text(), nullable=False, comment="Separated by single spaces"),
        sa.PrimaryKeyConstraint("source", "document_id", name="pk_search_document"),
        comment="Search tokens by document",
    )

    create_table(
        "ingredient",
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False, comment="Id of the ingredient"),
        sa.Column("name", sa.String(255), nullable=False, comment="Canonical name"),
        sa.PrimaryKeyConstraint("ingredient_id", name="pk_ingredient"),
        sa.UniqueConstraint("name", name="uq_ingredient_name"),
        comment="Canonical ingredient names",
    )

    create_table(
        "ingredient_synonym",
        sa.Column("variant", sa.String(255), nullable=False, comment="The spelling"),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False, comment="Ingredient that it means"),
        sa.PrimaryKeyConstraint("variant", name="pk_ingredient_synonym"),
        comment="Alternative spellings of ingredients",
    )
    op.create_index("ix_ingredient_synonym_ingredient_id", "ingredient_synonym", ["ingredient_id"], if_not_exists=True)

    create_table(
        "recipe",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="RCP_SNO of the CSV"),
        sa.Column("title", sa.String(500), nullable=False, comment="Title (RCP_TTL)"),
        sa.Column("dish", sa.String(255), nullable=True, comment="Name of the dish (CKG_NM)"),
        sa.Column("method", sa.String(50), nullable=True, comment="How it is cooked (CKG_MTH_ACTO_NM)"),
        sa.Column("occasion", sa.String(50), nullable=True, comment="Occasion (CKG_STA_ACTO_NM)"),
        sa.Column("material_class", sa.String(50), nullable=True, comment="Kind of main ingredient (CKG_MTRL_ACTO_NM)"),
        sa.Column("kind", sa.String(50), nullable=True, comment="Kind of dish (CKG_KND_ACTO_NM)"),
        sa.Column("introduction", sa.Text(), nullable=True, comment="Introduction (CKG_IPDC)"),
        sa.Column("servings", sa.String(50), nullable=True, comment="As written (CKG_INBUN_NM)"),
        sa.Column("difficulty", sa.String(50), nullable=True, comment="As written (CKG_DODF_NM)"),
        sa.Column("cooking_time", sa.String(50), nullable=True, comment="As written (CKG_TIME_NM)"),
        sa.Column("view_count", sa.Integer(), nullable=False, comment="0 when the source gives none"),
        sa.Column("recommend_count", sa.Integer(), nullable=False, comment="0 when the source gives none"),
        sa.Column("scrap_count", sa.Integer(), nullable=False, comment="0 when the source gives none"),
        sa.Column("image_url", sa.Text(), nullable=True, comment="Image of the dish (RCP_IMG_URL)"),
        sa.Column("registered_at", UTC_DATETIME, nullable=True, comment="When it was published (FIRST_REG_DT)"),
        sa.PrimaryKeyConstraint("recipe_id", name="pk_recipe"),
        comment="Recipes, without their authors",
    )

    create_table(
        "recipe_ingredient",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Recipe"),
        sa.Column(
            "position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Order in the list, from 0"
        ),
        sa.Column("section", sa.String(100), nullable=True, comment="재료, 양념, ..."),
        sa.Column("name", sa.String(255), nullable=False, comment="As written"),
        sa.Column("amount", sa.String(255), nullable=True, comment="As written: 1/2, 1~2, 반, 약간"),
        sa.Column("unit", sa.String(100), nullable=True, comment="Unit of the amount"),
        sa.Column("note", sa.Text(), nullable=True, comment="Rest of the line"),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=True, comment="NULL when not recognised"),
        sa.PrimaryKeyConstraint("recipe_id", "position", name="pk_recipe_ingredient"),
        comment="Ingredient lines of recipes",
    )
    op.create_index("ix_recipe_ingredient_ingredient_id", "recipe_ingredient", ["ingredient_id"], if_not_exists=True)

    create_table(
        "loaded_file",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall, nsmall or recipes"),
        sa.Column("dataset", sa.String(40), nullable=False, comment="prices, products, schedule, recipes"),
        sa.Column("run_id", sa.String(64), nullable=False, comment="Crawl that wrote the file"),
        sa.Column("day", sa.String(10), nullable=False, comment="KST date of the crawl"),
        sa.Column("loaded_at", UTC_DATETIME, nullable=False, comment="Wall clock of the load"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Items in the file"),
        sa.PrimaryKeyConstraint("source", "dataset", "run_id", name="pk_loaded_file"),
        comment="Raw files already loaded into this database",
    )

    create_table(
        "data_version",
        sa.Column("dataset", sa.String(20), nullable=False, comment="kok, schedule or recipes"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Larger after each change"),
        sa.PrimaryKeyConstraint("dataset", name="pk_data_version"),
        comment="Version counter of each dataset, incremented by each load that changes rows",
    )
    _seed_channels()


def _seed_channels() -> None:
    """Insert the channels that are missing; an interrupted upgrade may have left some."""
    names = ("channel_id", "channel_name", "channel_number", "source", "stream_url")
    channel = sa.table("channel", *map(sa.column, names))
    present = set(op.get_bind().scalars(sa.select(channel.c.channel_id)))
    rows = [dict(zip(names, row, strict=True)) for row in CHANNELS if row[0] not in present]
    if rows:
        op.bulk_insert(channel, rows)
