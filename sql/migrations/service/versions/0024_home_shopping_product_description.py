"""Add home_shopping_product.description"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    description = sa.Column(
        "description", sa.Text(), nullable=True, comment="Text of the page's description; NULL without one"
    )
    op.add_column("home_shopping_product", description, if_not_exists=True)
