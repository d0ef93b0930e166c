"""Revocations in the order of commits, what an owner sees of logins, and tokens sent by mail."""

import sqlalchemy as sa
from alembic import op

from sql.migrations.ddl import UTC_DATETIME, add_column, create_table

revision = "20261201_logins"
down_revision = "20261201_title_label"

REVOKED = "Logout, reuse of a refresh token, new password or deletion of the account; NULL while valid"
USED = "When it was first exchanged, by the clock of the database; a late second use is theft"


def upgrade() -> None:
    _add_columns()
    create_table(
        "login_revision",
        sa.Column("login_revision_id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Always 1"),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="Number of the last revocation"),
        sa.PrimaryKeyConstraint("login_revision_id", name="pk_login_revision"),
        comment="Number of the last revocation of logins; each process of the API reads what is newer",
    )
    create_table(
        "mail_token",
        sa.Column("token_sha256", sa.String(64), nullable=False, comment="SHA-256 of the token, hex"),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="Account that it is of"),
        sa.Column("purpose", sa.String(20), nullable=False, comment="verify_email or reset_password"),
        sa.Column("email", sa.String(320), nullable=False, comment="Address that it was sent to; void for any other"),
        sa.Column("issued_at", UTC_DATETIME, nullable=False, comment="When the token was issued"),
        sa.Column("expires_at", UTC_DATETIME, nullable=False, comment="End of validity"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_mail_token"),
        comment="Tokens sent by mail, by their hash; rows past expires_at may be deleted",
    )
    op.create_index("ix_mail_token_user_id", "mail_token", ["user_id"], if_not_exists=True)
    op.create_index("ix_recipe_rating_user_id", "recipe_rating", ["user_id"], if_not_exists=True)
    _number_earlier_revocations()


def _add_columns() -> None:
    add_column(
        "user_account",
        sa.Column(
            "email_verified_at",
            UTC_DATETIME,
            nullable=True,
            comment="When a link that was mailed to the address was opened; NULL before",
        ),
    )
    for column, comment in (
        (sa.Column("last_used_at", UTC_DATETIME), "Latest refresh of its tokens; NULL before the first"),
        (
            sa.Column("device", sa.String(40)),
            "Browser and system by the user agent, without versions; NULL when unknown",
        ),
        (sa.Column("revision", sa.BigInteger()), "Number of its revocation, in the order of commits; NULL while valid"),
    ):
        column.comment = comment
        add_column("login_session", column)
    op.create_index("ix_login_session_revision", "login_session", ["revision"], if_not_exists=True)
    op.drop_index("ix_login_session_revoked_at", "login_session", if_exists=True)
    for table, name, comment in (("login_session", "revoked_at", REVOKED), ("refresh_token", "used_at", USED)):
        op.alter_column(table, name, comment=comment, existing_type=UTC_DATETIME, existing_nullable=True)


def _number_earlier_revocations() -> None:
    """Give number 1 to what was revoked before, so that a process that starts reads it.

    A new database gets no row: a backup is restored into an empty one.
    """
    op.execute("UPDATE login_session SET revision = 1 WHERE revoked_at IS NOT NULL AND revision IS NULL")
    op.execute(
        "INSERT INTO login_revision (login_revision_id, revision) SELECT DISTINCT 1, 1 FROM login_session "
        "WHERE revision IS NOT NULL AND NOT EXISTS (SELECT 1 FROM login_revision)"
    )
