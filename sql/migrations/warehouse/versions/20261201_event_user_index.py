"""Index the facts by user, so that the events of a deleted account are found without reading all of them."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_event_user_index"
down_revision = "20261201_warehouse_held_scopes"


def upgrade() -> None:
    op.create_index(
        "ix_fct_user_event_user_id",
        "fct_user_event",
        ["user_id"],
        postgresql_where=sa.text("user_id IS NOT NULL"),
        if_not_exists=True,
    )
