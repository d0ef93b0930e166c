"""Create home_shopping_product"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "home_shopping_product",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("source_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_name", sa.String(length=1000), nullable=False),
        sa.Column("store_name", sa.String(length=255), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(length=10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("is_food", sa.Boolean(), nullable=False),
        sa.Column("is_ingredient", sa.Boolean(), nullable=False),
        sa.Column("resolver_version", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_product_id", name=op.f("pk_home_shopping_product")),
        comment="Products sold in broadcasts",
        if_not_exists=True,
        **MARIADB,
    )
