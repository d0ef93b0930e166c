"""Create search_history"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "search_history",
        sa.Column("search_history_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False, comment="kok or home_shopping"),
        sa.Column("keyword", sa.String(length=255), nullable=False),
        sa.Column("searched_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("search_history_id", name=op.f("pk_search_history")),
        comment="Search keywords by user",
        if_not_exists=True,
        **MARIADB,
    )
