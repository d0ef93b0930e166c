"""Index the facts and the rejected events of a user in the order in which an export reads them."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_export_indexes"
down_revision = "20261201_release_watch"


def upgrade() -> None:
    op.create_index(
        "ix_fct_user_event_user_id_day_event_id",
        "fct_user_event",
        ["user_id", "day", "event_id"],
        postgresql_where=sa.text("user_id IS NOT NULL"),
        if_not_exists=True,
    )
    op.drop_index("ix_fct_user_event_user_id", "fct_user_event", if_exists=True)
    op.create_index(
        "ix_rejected_event_author_event_id",
        "rejected_event",
        [sa.text("(event -> 'user_id')"), "event_id"],
        if_not_exists=True,
    )
