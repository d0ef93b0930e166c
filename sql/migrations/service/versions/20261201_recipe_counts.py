"""Counts of recipes are NULL when the source gives none, and servings are people."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_recipe_counts"
down_revision = "20261201_category_and_rates"


def upgrade() -> None:
    for name in ("view_count", "recommend_count", "scrap_count"):
        op.alter_column(
            "recipe",
            name,
            nullable=True,
            comment="NULL when the source gives none",
            existing_type=sa.Integer(),
        )
    op.alter_column(
        "recipe",
        "servings",
        comment="As written; a lone number gets 인분 (CKG_INBUN_NM)",
        existing_type=sa.String(50),
        existing_nullable=True,
    )
