"""Category of mall products, and the discount rate that a broadcaster gives."""

import sqlalchemy as sa

from sql.migrations.ddl import add_column

revision = "20261201_category_and_rates"
down_revision = "20261130_service_baseline"


def upgrade() -> None:
    category = "Code of the category list that shows it; NULL when unknown"
    add_column("kok_product", sa.Column("category", sa.String(20), nullable=True, comment=category))
    for table in ("home_shopping_product", "broadcast"):
        rate = "Percent as the source gives it, else NULL"
        add_column(table, sa.Column("discount_rate", sa.SmallInteger(), nullable=True, comment=rate))
