"""Index step_run by step"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_step_run_step", "step_run", ["step"], if_not_exists=True)
