"""Create ingredient_synonym"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "ingredient_synonym",
        sa.Column("variant", sa.String(length=255), nullable=False),
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("variant", name=op.f("pk_ingredient_synonym")),
        comment="Spellings of ingredients",
        if_not_exists=True,
        **MARIADB,
    )
