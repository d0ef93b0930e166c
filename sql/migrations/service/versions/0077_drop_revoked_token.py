"""Drop revoked_token"""

from alembic import op

revision = "0077"
down_revision = "0076"


def upgrade() -> None:
    op.drop_table("revoked_token", if_exists=True)
