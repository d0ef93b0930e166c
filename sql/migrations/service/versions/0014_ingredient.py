"""Create ingredient"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "ingredient",
        sa.Column("ingredient_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("ingredient_id", name=op.f("pk_ingredient")),
        sa.UniqueConstraint("name", name=op.f("uq_ingredient_name")),
        comment="Canonical ingredient names",
        if_not_exists=True,
        **MARIADB,
    )
