"""Create search_document"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "search_document",
        sa.Column("source", sa.String(length=20), nullable=False, comment="kok, hnsmall, hmall, nsmall or recipes"),
        sa.Column("document_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False, comment="Separated by single spaces"),
        sa.PrimaryKeyConstraint("source", "document_id", name=op.f("pk_search_document")),
        comment="Search tokens by document",
        if_not_exists=True,
        **MARIADB,
    )
