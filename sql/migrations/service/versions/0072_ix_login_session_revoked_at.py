"""Index login_session by revoked_at"""

from alembic import op

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    op.create_index("ix_login_session_revoked_at", "login_session", ["revoked_at"], if_not_exists=True)
