"""Create product_item"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0060"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "product_item",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("source_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "item_id",
            sa.String(length=40),
            nullable=False,
            comment="source:source_product_id of the listing of the item that was seen first",
        ),
        sa.Column("score", sa.Double(), nullable=False, comment="Likeness to the title of that listing, 0 to 1"),
        sa.Column(
            "method",
            sa.String(length=10),
            nullable=False,
            comment="first names the item; title: same words and amount; remark: but for a remark in brackets",
        ),
        sa.PrimaryKeyConstraint("source", "source_product_id", name=op.f("pk_product_item")),
        comment="Items: the same goods under all their sources and ids",
        if_not_exists=True,
        **MARIADB,
    )
