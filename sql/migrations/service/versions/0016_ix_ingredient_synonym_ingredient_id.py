"""Index ingredient_synonym by ingredient_id"""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("ix_ingredient_synonym_ingredient_id", "ingredient_synonym", ["ingredient_id"], if_not_exists=True)
