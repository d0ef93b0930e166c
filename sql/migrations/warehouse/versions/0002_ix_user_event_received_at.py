"""Index user_event by received_at"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_user_event_received_at", "user_event", ["received_at"], if_not_exists=True)
