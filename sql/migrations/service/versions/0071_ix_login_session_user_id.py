"""Index login_session by user_id"""

from alembic import op

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"], if_not_exists=True)
