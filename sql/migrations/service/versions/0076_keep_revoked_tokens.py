"""Carry tokens that were logged out over to login_session, so that an upgrade revives none"""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"


def upgrade() -> None:
    # An upgrade that was killed after the next migration dropped the table comes here again.
    if not sa.inspect(op.get_bind()).has_table("revoked_token"):
        return
    op.execute(
        "INSERT INTO login_session (session_id, started_at, access_until, revoked_at) "
        "SELECT token_sha256, revoked_at, expires_at, revoked_at FROM revoked_token "
        "WHERE token_sha256 NOT IN (SELECT session_id FROM login_session)"
    )
