"""Create revoked_token"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "revoked_token",
        sa.Column("token_sha256", sa.String(length=64), nullable=False, comment="SHA-256 of the token, hex"),
        sa.Column("revoked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_revoked_token")),
        comment="Tokens logged out before their expiry; rows past expires_at may be deleted",
        if_not_exists=True,
        **MARIADB,
    )
