"""Baseline of the warehouse: events, history of products and broadcasts, pipeline bookkeeping."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.migrations.ddl import UTC_DATETIME, create_table

revision = "20261130_warehouse_baseline"
down_revision = None


def upgrade() -> None:
    create_table(
        "user_event",
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="Given by the client, or UUIDv7 of the server"),
        sa.Column("received_at", UTC_DATETIME, nullable=False, comment="Stamped inside the writer's transaction"),
        sa.Column("occurred_at", UTC_DATETIME, nullable=True, comment="Clock of the client, not trusted"),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL for anonymous events"),
        sa.Column("session_id", sa.String(64), nullable=True, comment="Client session of anonymous events"),
        sa.Column("event_type", sa.String(100), nullable=False, comment="user_activity_<action> and the like"),
        sa.Column("path", sa.Text(), nullable=True, comment="Page of the frontend"),
        sa.Column("label", sa.Text(), nullable=True, comment="What was touched, in words"),
        sa.Column("payload", JSONB(), nullable=False, comment="Further fields of the event"),
        sa.PrimaryKeyConstraint("event_id", name="pk_user_event"),
        comment="Landing table of events, written and committed before they are acknowledged",
    )
    op.create_index("ix_user_event_received_at", "user_event", ["received_at"], if_not_exists=True)
    op.create_index("ix_user_event_user_id_received_at", "user_event", ["user_id", "received_at"], if_not_exists=True)

    create_table(
        "fct_user_event",
        sa.Column("day", sa.Date(), nullable=False, comment="KST date of received_at"),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="As in user_event"),
        sa.Column("received_at", UTC_DATETIME, nullable=False, comment="When the API stored the event"),
        sa.Column("occurred_at", UTC_DATETIME, nullable=True, comment="Clock of the client, not trusted"),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL for anonymous events"),
        sa.Column("session_id", sa.String(64), nullable=True, comment="Client session of anonymous events"),
        sa.Column("event_type", sa.String(100), nullable=False, comment="user_activity_<action> and the like"),
        sa.Column("path", sa.Text(), nullable=True, comment="Page of the frontend"),
        sa.Column("label", sa.Text(), nullable=True, comment="What was touched, in words"),
        sa.Column("payload", JSONB(), nullable=False, comment="Further fields of the event"),
        sa.PrimaryKeyConstraint("day", "event_id", name="pk_fct_user_event"),
        comment="Events by KST day of arrival, one partition a day",
        postgresql_partition_by="RANGE (day)",
    )

    create_table(
        "rejected_event",
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="As in user_event"),
        sa.Column("received_at", UTC_DATETIME, nullable=False, comment="When the API stored the event"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why the event was not accepted"),
        sa.Column("event", JSONB(), nullable=False, comment="The landed row"),
        sa.PrimaryKeyConstraint("event_id", name="pk_rejected_event"),
        comment="Quarantine of events",
    )

    create_table(
        "dim_product",
        sa.Column("product_key", sa.BigInteger(), nullable=False, comment="Surrogate key of this version"),
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), nullable=False, comment="The source's own id"),
        sa.Column("product_name", sa.Text(), nullable=False, comment="Title without the store"),
        sa.Column("store_name", sa.Text(), nullable=True, comment="Seller or brand; NULL when unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True, comment="Image of the product"),
        sa.Column("valid_from", UTC_DATETIME, nullable=False, comment="First crawl that showed this version"),
        sa.Column(
            "valid_to", UTC_DATETIME, nullable=True, comment="First crawl that showed a later version; NULL = current"
        ),
        sa.PrimaryKeyConstraint("product_key", name="pk_dim_product"),
        sa.UniqueConstraint("source", "source_product_id", "valid_from", name="uq_dim_product_version"),
        comment="Products with their history: one row per version, the current one has valid_to NULL",
    )

    create_table(
        "fct_price",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("observed_at", UTC_DATETIME, nullable=False, comment="Crawl that showed the price"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("discount_rate", sa.SmallInteger(), nullable=True, comment="Percent as the source listed it"),
        sa.PrimaryKeyConstraint("source", "source_product_id", "observed_at", name="pk_fct_price"),
        comment="Price history: one row per change",
    )

    create_table(
        "fct_broadcast",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Channel, 1 to 17"),
        sa.Column("starts_at", UTC_DATETIME, nullable=False, comment="Start of the show"),
        sa.Column("source", sa.String(20), nullable=False, comment="hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("ends_at", UTC_DATETIME, nullable=False, comment="End of the show"),
        sa.Column("slot", sa.String(4), nullable=False, comment="main or sub"),
        sa.Column("title", sa.Text(), nullable=True, comment="Title of the show"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(10), nullable=False, comment="amount, consult or unknown"),
        sa.Column(
            "cancelled_at",
            UTC_DATETIME,
            nullable=True,
            comment="First crawl that no longer listed it; NULL = scheduled",
        ),
        sa.PrimaryKeyConstraint("channel_id", "starts_at", "source", "source_product_id", name="pk_fct_broadcast"),
        comment="Shows: one row per product of a show, cancelled ones included",
    )

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
        comment="Items: listings of the same product across sources and ids, as of the last linking",
    )
    op.create_index("ix_product_item_item_id", "product_item", ["item_id"], if_not_exists=True)

    create_table(
        "step_run",
        sa.Column("run_id", sa.String(64), nullable=False, comment="Id of the run; ids sort by time"),
        sa.Column("step", sa.String(60), nullable=False, comment="load_kok, ingest_logs, build_release, ..."),
        sa.Column("status", sa.String(10), nullable=False, comment="running, done or failed"),
        sa.Column("interval_start", UTC_DATETIME, nullable=True, comment="Data interval, start included"),
        sa.Column("interval_end", UTC_DATETIME, nullable=True, comment="Data interval, end excluded"),
        sa.Column("started_at", UTC_DATETIME, nullable=False, comment="Wall clock"),
        sa.Column("seconds", sa.Double(), nullable=True, comment="Duration; NULL while running"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Items read"),
        sa.Column("rows_written", sa.BigInteger(), nullable=False, comment="Rows inserted or changed"),
        sa.Column("rows_unchanged", sa.BigInteger(), nullable=False, comment="Items that changed nothing"),
        sa.Column("rejected", JSONB(), nullable=False, comment="Items rejected, by reason"),
        sa.Column("details", JSONB(), nullable=False, comment="Metrics of the step"),
        sa.Column("error", sa.Text(), nullable=True, comment="One line; NULL unless failed"),
        sa.PrimaryKeyConstraint("run_id", name="pk_step_run"),
        comment="Reports of pipeline steps, one row per run",
    )
    op.create_index("ix_step_run_step", "step_run", ["step"], if_not_exists=True)

    create_table(
        "loaded_file",
        sa.Column("source", sa.String(20), nullable=False, comment="kok, hnsmall, hmall, nsmall or recipes"),
        sa.Column("dataset", sa.String(40), nullable=False, comment="prices, products, schedule, recipes"),
        sa.Column("run_id", sa.String(64), nullable=False, comment="Crawl that wrote the file"),
        sa.Column("day", sa.String(10), nullable=False, comment="KST date of the crawl"),
        sa.Column("loaded_at", UTC_DATETIME, nullable=False, comment="Wall clock of the load"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Items in the file"),
        sa.PrimaryKeyConstraint("source", "dataset", "run_id", name="pk_loaded_file"),
        comment="Raw files already loaded into the warehouse",
    )

    create_table(
        "release",
        sa.Column("version", sa.String(64), nullable=False, comment="Name under releases/"),
        sa.Column("built_at", UTC_DATETIME, nullable=False, comment="When it was built"),
        sa.Column("promoted_at", UTC_DATETIME, nullable=True, comment="When it last became current; NULL = never"),
        sa.Column("evaluation", JSONB(), nullable=False, comment="Metrics and gate decision"),
        sa.PrimaryKeyConstraint("version", name="pk_release"),
        comment="Register of releases",
    )
