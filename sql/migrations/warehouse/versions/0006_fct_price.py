"""Create fct_price"""

import sqlalchemy as sa
from alembic import op

from sql.types import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "fct_price",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("observed_at", UtcDateTime(), nullable=False, comment="Crawl that showed the price"),
        sa.Column("price", sa.BigInteger(), nullable=True, comment="What the customer pays, won; NULL when unknown"),
        sa.Column("list_price", sa.BigInteger(), nullable=True, comment="Struck out price, won; NULL when unknown"),
        sa.Column("price_kind", sa.String(length=10), nullable=False, comment="amount, consult or unknown"),
        sa.Column("discount_rate", sa.SmallInteger(), nullable=True, comment="Percent as the source listed it"),
        sa.PrimaryKeyConstraint("source", "source_product_id", "observed_at", name=op.f("pk_fct_price")),
        comment="Prices over time: a row wherever something differs from the row before",
        if_not_exists=True,
    )
