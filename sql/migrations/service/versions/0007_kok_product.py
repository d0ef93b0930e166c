"""Create kok_product"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "kok_product",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("store_name", sa.String(length=255), nullable=False),
        sa.Column("product_name", sa.String(length=1000), nullable=False, comment="Without the store name"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Won; NULL when unknown"),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("review_score", sa.Double(), nullable=True),
        sa.Column("review_count", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("vanished_at", UtcDateTime(), nullable=True, comment="NULL while the product is listed"),
        sa.Column("is_food", sa.Boolean(), nullable=False),
        sa.Column(
            "is_ingredient", sa.Boolean(), nullable=False, comment="Raw cooking ingredient rather than a finished dish"
        ),
        sa.Column("resolver_version", sa.String(length=64), nullable=False, comment="Which rules resolved the title"),
        sa.PrimaryKeyConstraint("kok_product_id", name=op.f("pk_kok_product")),
        comment="Products of the mall U+콕",
        if_not_exists=True,
        **MARIADB,
    )
