"""Decisions about canaries and new live releases, and which release a live one replaced."""

import sqlalchemy as sa
from alembic import op

from sql.migrations.ddl import UTC_DATETIME, add_column, create_table

revision = "20261201_release_watch"
down_revision = "20261201_event_user_index"

COUNTS = {
    "shown": "Recommendations that it answered, empty ones included",
    "clicked": "Of these, how many somebody clicked an item of",
    "simpler": "Of these, how many were empty or of a simpler stage",
    "failed": "Requests that it answered by an error of the API",
}


def upgrade() -> None:
    replaced = "Release that it replaced when it last became current; NULL after a rollback to it"
    add_column("release", sa.Column("replaced", sa.String(64), nullable=True, comment=replaced))
    kind = "canary: served beside its baseline; promotion: live since a short time ago"
    share = "Share of the visitors; NULL for a promotion"
    p_value = "Chance of so low a click-through if it is no worse; NULL if it was not compared"
    counts = [sa.Column(name, sa.BigInteger(), nullable=False, comment=comment) for name, comment in COUNTS.items()]
    others = [
        sa.Column(f"baseline_{name}", sa.BigInteger(), nullable=False, comment=f"As {name}, of the baseline")
        for name in COUNTS
    ]
    create_table(
        "release_watch",
        sa.Column("run_id", sa.String(64), nullable=False, comment="Run of the step watch_release"),
        sa.Column("watched_at", UTC_DATETIME, nullable=False, comment="Instant that the figures go up to"),
        sa.Column("kind", sa.String(10), nullable=False, comment=kind),
        sa.Column("version", sa.String(64), nullable=False, comment="The release in question"),
        sa.Column("baseline", sa.String(64), nullable=False, comment="The release that it is compared with"),
        sa.Column("share", sa.Double(), nullable=True, comment=share),
        sa.Column("since", UTC_DATETIME, nullable=False, comment="Begin of its figures"),
        sa.Column("baseline_since", UTC_DATETIME, nullable=False, comment="Begin of the figures of the baseline"),
        *counts,
        *others,
        sa.Column("p_value", sa.Double(), nullable=True, comment=p_value),
        sa.Column("decision", sa.String(10), nullable=False, comment="promote, roll_back or wait"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in one line"),
        sa.PrimaryKeyConstraint("run_id", name="pk_release_watch"),
        comment="Decisions about canaries and new live releases, with the figures that they rest on",
    )
    op.create_index("ix_release_watch_watched_at", "release_watch", ["watched_at"], if_not_exists=True)
