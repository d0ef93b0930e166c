"""Create user_event"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.types import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "user_event",
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="Given by the client, or UUIDv7 of the server"),
        sa.Column("received_at", UtcDateTime(), nullable=False, comment="Stamped inside the writer's transaction"),
        sa.Column("occurred_at", UtcDateTime(), nullable=True, comment="Clock of the client, not trusted"),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL for anonymous events"),
        sa.Column("session_id", sa.String(length=64), nullable=True, comment="Client session of anonymous events"),
        sa.Column("event_type", sa.String(length=100), nullable=False, comment="user_activity_<action> and the like"),
        sa.Column("path", sa.Text(), nullable=True, comment="Page of the frontend"),
        sa.Column("label", sa.Text(), nullable=True, comment="What was touched, in words"),
        sa.Column("payload", JSONB(), nullable=False, comment="Further fields of the event"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_user_event")),
        comment="Landing table of events, written and committed before they are acknowledged",
        if_not_exists=True,
    )
