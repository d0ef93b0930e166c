"""Create loaded_file"""

import sqlalchemy as sa
from alembic import op

from sql.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "loaded_file",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall, nsmall or recipes"),
        sa.Column("dataset", sa.String(length=40), nullable=False, comment="prices, products, schedule, recipes"),
        sa.Column("run_id", sa.String(length=64), nullable=False, comment="Crawl that wrote the file"),
        sa.Column("day", sa.String(length=10), nullable=False, comment="KST date of the crawl"),
        sa.Column("loaded_at", UtcDateTime(), nullable=False, comment="Wall clock of the load"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Items in the file"),
        sa.PrimaryKeyConstraint("source", "dataset", "run_id", name=op.f("pk_loaded_file")),
        comment="Raw files already loaded into the warehouse",
        if_not_exists=True,
    )
