"""Keep in the ledger which scopes of a file are held back, and which files were overtaken by newer ones."""

import sqlalchemy as sa

from sql.migrations.ddl import add_column

revision = "20261201_warehouse_held_scopes"
down_revision = "20261201_category_and_rates"


def upgrade() -> None:
    add_column(
        "loaded_file",
        sa.Column(
            "status",
            sa.String(10),
            nullable=False,
            server_default="loaded",
            comment="loaded; overtaken if it was held back until newer files took its place",
        ),
    )
    add_column(
        "loaded_file",
        sa.Column(
            "held_scopes",
            sa.Text(),
            nullable=True,
            comment="Scopes that are held back and not loaded, one a line; NULL without any",
        ),
    )
