"""Index search_history by user_id"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_search_history_user_id", "search_history", ["user_id"], if_not_exists=True)
