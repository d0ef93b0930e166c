"""Ratings of recipes in the service database."""

from typing import cast

from sqlalchemy import Connection, Table, func, select

from sql.service.users import RecipeRating
from sql.upsert import upsert

RATINGS = cast(Table, RecipeRating.__table__)


def mean_rating(conn: Connection, recipe_id: int) -> float:
    """Mean of all ratings of a recipe, 0.0 without any."""
    rated = select(func.sum(RecipeRating.rating), func.count()).where(RecipeRating.recipe_id == recipe_id)
    total, count = conn.execute(rated).one()
    # Divided here because engines round a mean to different precisions.
    return int(total) / count if count else 0.0


def save_rating(conn: Connection, row: dict[str, object]) -> None:
    """Store a user's rating of a recipe, replacing an earlier one."""
    upsert(conn, RATINGS, [row], update_columns=("rating", "rated_at"))
