"""Add to kok_product what its reviews say in sum

Several statements, which MariaDB commits one by one: each of them can be repeated.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    for stars in ("five", "four", "three", "two", "one"):
        column = sa.Column(f"{stars}_star_share", sa.SmallInteger(), nullable=True, comment="Percent of the reviews")
        op.add_column("kok_product", column, if_not_exists=True)
    for aspect in ("price", "delivery", "taste"):
        comment = f"What most reviews say of the {aspect}"
        opinion = sa.Column(f"{aspect}_opinion", sa.String(length=255), nullable=True, comment=comment)
        share = sa.Column(f"{aspect}_opinion_share", sa.SmallInteger(), nullable=True, comment="Percent that say so")
        op.add_column("kok_product", opinion, if_not_exists=True)
        op.add_column("kok_product", share, if_not_exists=True)
