"""Index refresh_token by session_id"""

from alembic import op

revision = "0074"
down_revision = "0073"


def upgrade() -> None:
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"], if_not_exists=True)
