"""Create rejected_event"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.types import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "rejected_event",
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="As in user_event"),
        sa.Column("received_at", UtcDateTime(), nullable=False, comment="When the API stored the event"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why the event was not accepted"),
        sa.Column("event", JSONB(), nullable=False, comment="The landed row"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_rejected_event")),
        comment="Quarantine of events",
        if_not_exists=True,
    )
