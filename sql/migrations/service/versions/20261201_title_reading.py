"""What a title was understood as, and labels that people gave."""

import sqlalchemy as sa

from sql.migrations.ddl import UTC_DATETIME, add_column, create_table

revision = "20261201_title_reading"
down_revision = "20261201_service_held_scopes"


def upgrade() -> None:
    kind = "ingredient, ready, snack, drink, supplement or nonfood; NULL until the title is resolved"
    types = "What the title says the product is, its head first, separated by |; NULL where it does not say"
    recipes = "Probability that somebody cooks with it, 0 to 1; NULL until the title is resolved"
    for table in ("kok_product", "home_shopping_product"):
        add_column(table, sa.Column("kind", sa.String(12), nullable=True, comment=kind))
        add_column(table, sa.Column("product_types", sa.String(255), nullable=True, comment=types))
        add_column(table, sa.Column("recipe_probability", sa.Double(), nullable=True, comment=recipes))
    create_table(
        "title_label",
        sa.Column("source", sa.String(20), nullable=False, comment="kok or a broadcaster"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column("kind", sa.String(12), nullable=True, comment="As in the product; NULL where nobody said so"),
        sa.Column("has_recipes", sa.Boolean(), nullable=True, comment="Whether somebody cooks with it; NULL: not said"),
        sa.Column("ingredients", sa.Text(), nullable=True, comment="Its ingredients separated by |; NULL: not said"),
        sa.Column("labelled_at", UTC_DATETIME, nullable=False, comment="When the label was imported"),
        sa.PrimaryKeyConstraint("source", "source_product_id", name="pk_title_label"),
        comment="What people said of product titles; takes precedence over the model",
    )
