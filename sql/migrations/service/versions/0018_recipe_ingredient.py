"""Create recipe_ingredient"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "recipe_ingredient",
        sa.Column("recipe_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("section", sa.String(length=100), nullable=True, comment="재료, 양념, ..."),
        sa.Column("name", sa.String(length=255), nullable=False, comment="As written"),
        sa.Column("amount", sa.String(length=255), nullable=True, comment="As written: 1/2, 1~2, 반, 약간"),
        sa.Column("unit", sa.String(length=100), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=True, comment="NULL when not recognised"),
        sa.PrimaryKeyConstraint("recipe_id", "position", name=op.f("pk_recipe_ingredient")),
        comment="Ingredient lines of recipes",
        if_not_exists=True,
        **MARIADB,
    )
