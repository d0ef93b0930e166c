"""Counts of attempts that all processes share, and places that an account was logged in from."""

import sqlalchemy as sa
from alembic import op

from sql.migrations.ddl import UTC_DATETIME, create_table

revision = "20261201_attempt_limit"
down_revision = "20261201_logins"


def upgrade() -> None:
    create_table(
        "attempt_limit",
        sa.Column(
            "limit_sha256",
            sa.String(64),
            nullable=False,
            comment="Keyed SHA-256 of the limit and of the account or address, hex",
        ),
        sa.Column(
            "free_at",
            sa.BigInteger(),
            nullable=False,
            comment="When all attempts are available again, in milliseconds since 1970",
        ),
        sa.PrimaryKeyConstraint("limit_sha256", name="pk_attempt_limit"),
        comment="Attempts that are limited in number; rows that are free again may be deleted",
    )
    op.create_index("ix_attempt_limit_free_at", "attempt_limit", ["free_at"], if_not_exists=True)
    create_table(
        "login_place",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="Account that logged in"),
        sa.Column(
            "place_sha256",
            sa.String(64),
            nullable=False,
            comment="Keyed SHA-256 of the cookie of the browser, or of the address, hex",
        ),
        sa.Column("kind", sa.String(10), nullable=False, comment="browser or address"),
        sa.Column("seen_at", UTC_DATETIME, nullable=False, comment="Latest login from there, to the day"),
        sa.PrimaryKeyConstraint("user_id", "place_sha256", name="pk_login_place"),
        comment="Browsers and addresses that an account was logged in from; the oldest are deleted",
    )
