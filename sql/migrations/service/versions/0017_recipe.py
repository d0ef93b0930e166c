"""Create recipe"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "recipe",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("dish", sa.String(length=255), nullable=True),
        sa.Column("method", sa.String(length=50), nullable=True),
        sa.Column("occasion", sa.String(length=50), nullable=True),
        sa.Column("material_class", sa.String(length=50), nullable=True),
        sa.Column("kind", sa.String(length=50), nullable=True),
        sa.Column("introduction", sa.Text(), nullable=True),
        sa.Column("servings", sa.String(length=50), nullable=True),
        sa.Column("difficulty", sa.String(length=50), nullable=True),
        sa.Column("cooking_time", sa.String(length=50), nullable=True),
        sa.Column("view_count", sa.Integer(), nullable=False, comment="0 when the source gives none"),
        sa.Column("recommend_count", sa.Integer(), nullable=False),
        sa.Column("scrap_count", sa.Integer(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("registered_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("recipe_id", name=op.f("pk_recipe")),
        comment="Recipes, without their authors",
        if_not_exists=True,
        **MARIADB,
    )
