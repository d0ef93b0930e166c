"""Create product_detail"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "product_detail",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="From 0"),
        sa.Column("name", sa.String(length=1000), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name=op.f("pk_product_detail")),
        comment="Tables of facts on a product's newest page",
        if_not_exists=True,
        **MARIADB,
    )
