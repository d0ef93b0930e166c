"""Create product_ingredient"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "product_ingredient",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name=op.f("pk_product_ingredient")),
        comment="Ingredients resolved from product titles",
        if_not_exists=True,
        **MARIADB,
    )
