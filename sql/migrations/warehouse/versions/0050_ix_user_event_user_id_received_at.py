"""Index user_event by user and time, for what someone looked at last"""

from alembic import op

revision = "0050"
down_revision = "0041"


def upgrade() -> None:
    op.create_index("ix_user_event_user_id_received_at", "user_event", ["user_id", "received_at"], if_not_exists=True)
