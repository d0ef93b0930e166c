"""Create dim_product"""

import sqlalchemy as sa
from alembic import op

from sql.types import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "dim_product",
        sa.Column("product_key", sa.BigInteger(), nullable=False, comment="Surrogate key of this version"),
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), nullable=False, comment="The source's own id"),
        sa.Column("product_name", sa.Text(), nullable=False, comment="Title without the store"),
        sa.Column("store_name", sa.Text(), nullable=True, comment="Seller or brand; NULL when unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True, comment="Image of the product"),
        sa.Column("valid_from", UtcDateTime(), nullable=False, comment="First crawl that showed this version"),
        sa.Column("valid_to", UtcDateTime(), nullable=True, comment="First crawl that showed another; NULL = current"),
        sa.PrimaryKeyConstraint("product_key", name=op.f("pk_dim_product")),
        sa.UniqueConstraint("source", "source_product_id", "valid_from", name="uq_dim_product_version"),
        comment="Products with their history: one row for each version, the current one has valid_to NULL",
        if_not_exists=True,
    )
