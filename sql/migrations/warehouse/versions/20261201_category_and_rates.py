"""Category of mall products, and the discount rate of shows."""

import sqlalchemy as sa

from sql.migrations.ddl import add_column

revision = "20261201_category_and_rates"
down_revision = "20261201_killed_runs"


def upgrade() -> None:
    category = "Code of the mall's category list that shows it"
    add_column("dim_product", sa.Column("category", sa.Text(), nullable=True, comment=category))
    rate = "Percent as the source gives it, else NULL"
    add_column("fct_broadcast", sa.Column("discount_rate", sa.SmallInteger(), nullable=True, comment=rate))
