"""Index recipe_ingredient by ingredient_id"""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_index("ix_recipe_ingredient_ingredient_id", "recipe_ingredient", ["ingredient_id"], if_not_exists=True)
