"""What a title was understood as."""

import sqlalchemy as sa

from sql.migrations.ddl import add_column

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
