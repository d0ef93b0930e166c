"""Create fct_user_event"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "fct_user_event",
        sa.Column("day", sa.Date(), nullable=False, comment="KST date of received_at"),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="As in user_event"),
        sa.Column("received_at", UtcDateTime(), nullable=False, comment="When the API stored the event"),
        sa.Column("occurred_at", UtcDateTime(), nullable=True, comment="Clock of the client, not trusted"),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL for anonymous events"),
        sa.Column("session_id", sa.String(length=64), nullable=True, comment="Client session of anonymous events"),
        sa.Column("event_type", sa.String(length=100), nullable=False, comment="user_activity_<action> and the like"),
        sa.Column("path", sa.Text(), nullable=True, comment="Page of the frontend"),
        sa.Column("label", sa.Text(), nullable=True, comment="What was touched, in words"),
        sa.Column("payload", JSONB(), nullable=False, comment="Further fields of the event"),
        sa.PrimaryKeyConstraint("day", "event_id", name=op.f("pk_fct_user_event")),
        comment="Events by KST day of arrival, one partition a day",
        postgresql_partition_by="RANGE (day)",
        if_not_exists=True,
    )
