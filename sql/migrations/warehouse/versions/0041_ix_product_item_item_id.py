"""Index product_item by item_id"""

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.create_index("ix_product_item_item_id", "product_item", ["item_id"], if_not_exists=True)
