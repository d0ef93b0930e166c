"""Create erased_user"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0075"
down_revision = "0074"


def upgrade() -> None:
    op.create_table(
        "erased_user",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Never given again"),
        sa.Column("erased_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_erased_user")),
        comment="Accounts that their owners deleted: nothing else may hold these ids",
        if_not_exists=True,
        **MARIADB,
    )
