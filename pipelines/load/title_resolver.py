"""The resolver of titles for the ingredients of the loaded recipes."""

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import Connection, distinct, func, select

from recommender.text.ingredients import title_vocabulary
from recommender.text.resolver import TitleResolver
from sql.service.recipes import Ingredient, RecipeIngredient


def read_vocabulary(conn: Connection) -> dict[str, str]:
    """Return the words that mean an ingredient in a title, from the ingredients of the loaded recipes."""
    used = func.count(distinct(RecipeIngredient.recipe_id))
    statement = (
        select(Ingredient.name, used)
        .join(RecipeIngredient, RecipeIngredient.ingredient_id == Ingredient.ingredient_id)
        .group_by(Ingredient.name)
    )
    return title_vocabulary(dict(conn.execute(statement).all()))


def title_resolver(vocabulary: Mapping[str, str]) -> TitleResolver:
    """The resolver for a vocabulary; the last one is kept, since it takes seconds and 300 MB to create."""
    return _resolver(frozenset(vocabulary.items()))


@lru_cache(maxsize=1)
def _resolver(vocabulary: frozenset[tuple[str, str]]) -> TitleResolver:
    return TitleResolver(dict(vocabulary))
