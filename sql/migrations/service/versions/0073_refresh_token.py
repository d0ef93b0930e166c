"""Create refresh_token"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB
from sql.types import UtcDateTime

revision = "0073"
down_revision = "0072"


def upgrade() -> None:
    op.create_table(
        "refresh_token",
        sa.Column("token_sha256", sa.String(length=64), nullable=False, comment="SHA-256 of the token, hex"),
        sa.Column("session_id", sa.String(length=64), nullable=False, comment="The login that it prolongs"),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True, comment="Exchanged for the next one; a second use is theft"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_refresh_token")),
        comment="Refresh tokens by their hash; rows past expires_at may be deleted",
        if_not_exists=True,
        **MARIADB,
    )
