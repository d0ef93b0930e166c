"""Create recipe_rating"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "recipe_rating",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("rated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("recipe_id", "user_id", name=op.f("pk_recipe_rating")),
        comment="Latest rating by user and recipe, 0 to 5",
        if_not_exists=True,
        **MARIADB,
    )
