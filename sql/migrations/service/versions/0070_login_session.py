"""Create login_session"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0070"
down_revision = "0061"


def upgrade() -> None:
    op.create_table(
        "login_session",
        sa.Column(
            "session_id",
            sa.String(length=64),
            nullable=False,
            comment="Claim sid of its access tokens; SHA-256 of a token that has none",
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="NULL once the account is gone"),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column(
            "access_until", UtcDateTime(), nullable=False, comment="When the last of its access tokens has expired"
        ),
        sa.Column("revoked_at", UtcDateTime(), nullable=True, comment="Logged out, token used twice, account gone"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_login_session")),
        comment="Logins; one without tokens that are still valid may be deleted",
        if_not_exists=True,
        **MARIADB,
    )
