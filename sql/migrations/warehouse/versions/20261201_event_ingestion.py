"""Ingestion of events by transaction instead of by time: the transaction of each event, and how far ingestion is."""

import sqlalchemy as sa
from alembic import op

from sql.migrations.ddl import UTC_DATETIME, create_table

revision = "20261201_event_ingestion"
down_revision = "20261130_warehouse_baseline"

TRANSACTION = "Transaction that stored the event; gives the order of ingestion"


def upgrade() -> None:
    # pg_current_xact_id() is stable, so the rows that are there share one id and the table is not rewritten.
    op.execute(
        "ALTER TABLE user_event ADD COLUMN IF NOT EXISTS transaction_id BIGINT NOT NULL "
        "DEFAULT (pg_current_xact_id()::text::bigint)"
    )
    op.execute(f"COMMENT ON COLUMN user_event.transaction_id IS '{TRANSACTION}'")
    op.create_index(
        "ix_user_event_transaction_id_event_id", "user_event", ["transaction_id", "event_id"], if_not_exists=True
    )
    op.create_index("ix_rejected_event_received_at", "rejected_event", ["received_at"], if_not_exists=True)
    create_table(
        "ingest_position",
        sa.Column(
            "cluster_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="System identifier of the PostgreSQL cluster whose transactions are counted",
        ),
        sa.Column(
            "transaction_id", sa.BigInteger(), nullable=False, comment="Transaction of the last event that was ingested"
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="The last event of it that was ingested"),
        sa.Column(
            "resume_at",
            sa.BigInteger(),
            nullable=True,
            comment="Transaction at which to go on after a pass over all events; NULL outside of such a pass",
        ),
        sa.Column("moved_at", UTC_DATETIME, nullable=False, comment="Wall clock of the last batch"),
        sa.Column(
            "landed_since",
            UTC_DATETIME,
            nullable=True,
            comment="Landed events received before may have been deleted by maintenance; NULL: none was",
        ),
        sa.PrimaryKeyConstraint("cluster_id", name="pk_ingest_position"),
        comment="How far the ingestion of events is, in the order of transactions",
    )
