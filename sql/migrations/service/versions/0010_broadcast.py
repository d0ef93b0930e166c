"""Create broadcast"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "broadcast",
        sa.Column("broadcast_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("source_product_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.String(length=4), nullable=False, comment="main or sub"),
        sa.Column("title", sa.String(length=500), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("price_kind", sa.String(length=10), nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True, comment="NULL while the show is scheduled"),
        sa.PrimaryKeyConstraint("broadcast_id", name=op.f("pk_broadcast")),
        sa.UniqueConstraint("channel_id", "starts_at", "source", "source_product_id", name="uq_broadcast_key"),
        comment="Shows: one row for each product of a show",
        if_not_exists=True,
        **MARIADB,
    )
