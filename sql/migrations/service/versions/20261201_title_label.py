"""Titles as people read them."""

import sqlalchemy as sa

from sql.migrations.ddl import UTC_DATETIME, create_table

revision = "20261201_title_label"
down_revision = "20261201_title_reading"


def upgrade() -> None:
    create_table(
        "title_label",
        sa.Column("source", sa.String(20), nullable=False, comment="kok or a broadcaster"),
        sa.Column(
            "source_product_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The source's own id"
        ),
        sa.Column(
            "title",
            sa.String(1000),
            nullable=False,
            comment="Title that was labelled; the label does not apply while the product has another one",
        ),
        sa.Column(
            "kind", sa.String(12), nullable=False, comment="ingredient, ready, snack, drink, supplement or nonfood"
        ),
        sa.Column(
            "ingredients",
            sa.Text(),
            nullable=False,
            comment="Canonical names of the main ingredients, the product's own first, separated by |",
        ),
        sa.Column("shows_recipes", sa.Boolean(), nullable=False, comment="Whether one cooks with it"),
        sa.Column("labelled_by", sa.String(100), nullable=False, comment="Who labelled it"),
        sa.Column("labelled_at", UTC_DATETIME, nullable=False, comment="When it was labelled"),
        sa.Column("note", sa.Text(), nullable=True, comment="Why; NULL without a note"),
        sa.PrimaryKeyConstraint("source", "source_product_id", name="pk_title_label"),
        comment="Titles as people read them, in place of what the rules and the model say",
    )
