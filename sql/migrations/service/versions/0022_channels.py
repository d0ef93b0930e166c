"""Seed the 17 television channels"""

from alembic import op
from sqlalchemy import insert, select

from sql.service.catalog import Channel
from sql.service.channels import CHANNELS

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    conn = op.get_bind()
    present = set(conn.scalars(select(Channel.channel_id)))
    missing = [seed._asdict() for seed in CHANNELS if seed.channel_id not in present]
    if missing:
        conn.execute(insert(Channel), missing)
