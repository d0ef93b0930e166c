"""Create loaded_file"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "loaded_file",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("dataset", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False, comment="KST date of the crawl"),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "dataset", "run_id", name=op.f("pk_loaded_file")),
        comment="Raw files already loaded into this database",
        if_not_exists=True,
        **MARIADB,
    )
