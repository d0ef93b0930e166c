"""Create kok_price"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "kok_price",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(length=10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("discount_rate", sa.SmallInteger(), nullable=False, comment="Percent as listed"),
        sa.PrimaryKeyConstraint("kok_product_id", "observed_at", name=op.f("pk_kok_price")),
        comment="Price history: a row wherever price or rate differs from the row before",
        if_not_exists=True,
        **MARIADB,
    )
