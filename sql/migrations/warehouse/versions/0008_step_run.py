"""Create step_run"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sql.types import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "step_run",
        sa.Column("run_id", sa.String(length=64), nullable=False, comment="Sorts by time"),
        sa.Column("step", sa.String(length=60), nullable=False, comment="load_kok, ingest_logs, build_release, ..."),
        sa.Column("status", sa.String(length=10), nullable=False, comment="running, done or failed"),
        sa.Column("interval_start", UtcDateTime(), nullable=True, comment="Data interval, start included"),
        sa.Column("interval_end", UtcDateTime(), nullable=True, comment="Data interval, end excluded"),
        sa.Column("started_at", UtcDateTime(), nullable=False, comment="Wall clock"),
        sa.Column("seconds", sa.Double(), nullable=True, comment="Duration; NULL while running"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Items read"),
        sa.Column("rows_written", sa.BigInteger(), nullable=False, comment="Rows inserted or changed"),
        sa.Column("rows_unchanged", sa.BigInteger(), nullable=False, comment="Items that changed nothing"),
        sa.Column("rejected", JSONB(), nullable=False, comment="Items rejected, by reason"),
        sa.Column("details", JSONB(), nullable=False, comment="Figures of the step"),
        sa.Column("error", sa.Text(), nullable=True, comment="One line; NULL unless failed"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_step_run")),
        comment="Reports of pipeline steps, one row a run",
        if_not_exists=True,
    )
