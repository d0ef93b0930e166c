"""Create data_version"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "data_version",
        sa.Column("dataset", sa.String(length=20), nullable=False, comment="kok, schedule or recipes"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", name=op.f("pk_data_version")),
        comment="Grows with each load that changed rows",
        if_not_exists=True,
        **MARIADB,
    )
