"""Create fct_broadcast"""

import sqlalchemy as sa
from alembic import op

from sql.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "fct_broadcast",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Channel, 1 to 17"),
        sa.Column("starts_at", UtcDateTime(), nullable=False, comment="Start of the show"),
        sa.Column("source", sa.String(length=20), nullable=False, comment="hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("ends_at", UtcDateTime(), nullable=False, comment="End of the show"),
        sa.Column("slot", sa.String(length=4), nullable=False, comment="main or sub"),
        sa.Column("title", sa.Text(), nullable=True, comment="Title of the show"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(length=10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True, comment="Crawl that no longer showed it; NULL = on"),
        sa.PrimaryKeyConstraint(
            "channel_id", "starts_at", "source", "source_product_id", name=op.f("pk_fct_broadcast")
        ),
        comment="Shows: one row for each product of a show, cancelled ones included",
        if_not_exists=True,
    )
