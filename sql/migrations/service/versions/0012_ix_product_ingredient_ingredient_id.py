"""Index product_ingredient by ingredient_id"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index("ix_product_ingredient_ingredient_id", "product_ingredient", ["ingredient_id"], if_not_exists=True)
