"""Create kok_review"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "kok_review",
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("kok_product_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "content_hash",
            sa.String(length=32),
            nullable=False,
            comment="Of all that the review says, and of how many like it the page showed before it",
        ),
        sa.Column("nickname", sa.String(length=255), nullable=True, comment="Masked but for its first letter"),
        sa.Column("written_on", sa.Date(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True, comment="Stars, 1 to 5"),
        sa.Column("price_opinion", sa.String(length=255), nullable=True, comment="가격"),
        sa.Column("delivery_opinion", sa.String(length=255), nullable=True, comment="배송"),
        sa.Column("taste_opinion", sa.String(length=255), nullable=True, comment="맛"),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_kok_review")),
        sa.UniqueConstraint("kok_product_id", "content_hash", name="uq_kok_review_key"),
        comment="Every review that a mall product's page ever showed",
        if_not_exists=True,
        **MARIADB,
    )
