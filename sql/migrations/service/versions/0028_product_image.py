"""Create product_image"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "product_image",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall or nsmall"),
        sa.Column("source_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False, comment="From 0"),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_product_id", "position", name=op.f("pk_product_image")),
        comment="Images of the description on a product's newest page",
        if_not_exists=True,
        **MARIADB,
    )
