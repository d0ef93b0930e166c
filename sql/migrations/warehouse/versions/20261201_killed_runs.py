"""Say in the comments of ``step_run`` that a run may have been killed."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_killed_runs"
down_revision = "20261201_event_ingestion"


def upgrade() -> None:
    op.alter_column(
        "step_run",
        "status",
        existing_type=sa.String(10),
        existing_nullable=False,
        comment="running, done, failed, or killed: its process is gone",
    )
    op.alter_column(
        "step_run",
        "seconds",
        existing_type=sa.Double(),
        existing_nullable=True,
        comment="Duration; NULL while running and if killed",
    )
    op.alter_column(
        "step_run",
        "error",
        existing_type=sa.Text(),
        existing_nullable=True,
        comment="One line; NULL unless failed or killed",
    )
