"""The recipe corpus from the service database, and its dataset snapshot."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import Engine, func, select

from artifacts.datasets import write_snapshot
from artifacts.store import Store
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient

DATASET: Final = "recipes"


class EmptyCorpus(ValueError):
    """There is nothing to learn from; the message says what to load."""


def read_recipes(service: Engine, *, as_written: bool = False) -> RecipeCorpus:
    """Read the recipes of the service database; raises EmptyCorpus if there are none.

    Ingredients have their canonical names, or those `as_written`, with single spaces. Popularity is
    log(1 + views + recommendations + scraps).
    """
    counts = (
        func.coalesce(Recipe.view_count, 0)
        + func.coalesce(Recipe.recommend_count, 0)
        + func.coalesce(Recipe.scrap_count, 0)
    )
    recipes = select(Recipe.recipe_id, Recipe.title, counts)
    name = RecipeIngredient.name if as_written else Ingredient.name
    lines = (
        select(RecipeIngredient.recipe_id, name)
        .join(Ingredient, Ingredient.ingredient_id == RecipeIngredient.ingredient_id)
        .order_by(RecipeIngredient.recipe_id, RecipeIngredient.position)
    )
    with service.connect() as conn:
        rows = [(recipe_id, title, float(np.log1p(count))) for recipe_id, title, count in conn.execute(recipes)]
        if not rows:
            raise EmptyCorpus("the service database holds no recipes: run `ukok recipes import FILE` first")
        return corpus_of(rows, ((recipe_id, " ".join(name.split())) for recipe_id, name in conn.execute(lines)))


def snapshot(store: Store, corpus: RecipeCorpus, raw_files: Sequence[str] = ()) -> str:
    """Write `corpus` as a dataset snapshot and return its version; the same recipes have the same version.

    ``raw_files``: those that the recipes come from.
    """
    recipes = pd.DataFrame(
        {"recipe_id": corpus.recipe_ids, "title": list(corpus.titles), "popularity": corpus.popularity}
    )
    lengths = [len(basket) for basket in corpus.baskets]
    names: Sequence[str] = [name for basket in corpus.baskets for name in basket]
    lines = pd.DataFrame({"recipe_id": np.repeat(corpus.recipe_ids, lengths), "name": pd.Series(names, dtype="str")})
    return write_snapshot(store, DATASET, {"recipes": recipes, "ingredients": lines}, raw_files)
