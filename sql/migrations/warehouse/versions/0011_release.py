"""Create release"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.types import UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("version", sa.String(length=64), nullable=False, comment="Name under releases/"),
        sa.Column("built_at", UtcDateTime(), nullable=False, comment="When it was built"),
        sa.Column("promoted_at", UtcDateTime(), nullable=True, comment="When it last became current; NULL = never"),
        sa.Column("evaluation", JSONB(), nullable=False, comment="Figures and gate verdict"),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_release")),
        comment="Register of releases",
        if_not_exists=True,
    )
