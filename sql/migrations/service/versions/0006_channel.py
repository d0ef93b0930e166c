"""Create channel"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_name", sa.String(length=100), nullable=False),
        sa.Column("channel_number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("stream_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channel")),
        comment="Television channels; source is NULL where the schedule is not crawled",
        if_not_exists=True,
        **MARIADB,
    )
