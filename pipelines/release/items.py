"""Products and recipes of the service database with their rows in the space of a release."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, select

from pipelines.load.title_resolver import read_vocabulary, title_resolver
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.relations.facts import ProductFacts, RecipeFacts
from recommender.relations.ranker import Rankers
from recommender.relations.space import Encode, ProductMatrix, RecipeMatrix, Space, Types
from recommender.relations.text_space import fit_text_space
from recommender.text import lexicon
from recommender.text.title_words import Kind
from sql.service.catalog import SearchDocument

# How search documents name recipes.
RECIPES = "recipes"


@dataclass(frozen=True)
class Items:
    """Products and recipes with their rows in the space of a release."""

    products: Sequence[ProductFacts]
    recipes: Sequence[RecipeFacts]
    space: Space
    rankers: Rankers

    @cached_property
    def product_rows(self) -> ProductMatrix:
        """Rows of the products."""
        return self.space.products(self.products)

    @cached_property
    def recipe_rows(self) -> RecipeMatrix:
        """Rows of the recipes."""
        return self.space.recipes(self.recipes)

    def rows_of(self, sources: frozenset[str]) -> NDArray[np.intp]:
        """Rows of the products of some sources."""
        return np.array([row for row, product in enumerate(self.products) if product.ref.source in sources], np.intp)


def read_recipe_facts(service: Engine, corpus: RecipeCorpus) -> list[RecipeFacts]:
    """The recipes of ``corpus`` with their search tokens, and with what their titles name."""
    with service.connect() as conn:
        vocabulary = read_vocabulary(conn)
        tokens = _tokens(conn)
    readings = title_resolver(vocabulary).read_many(corpus.titles)
    return [
        RecipeFacts(
            recipe_id,
            title,
            tokens.get(recipe_id, ""),
            basket,
            reading.types_of(reading.finished_kind),
            reading.ingredients_of(Kind.INGREDIENT),
            popularity,
        )
        for recipe_id, title, basket, reading, popularity in zip(
            corpus.recipe_ids.tolist(), corpus.titles, corpus.baskets, readings, corpus.popularity.tolist(), strict=True
        )
    ]


def make_items(
    products: Sequence[ProductFacts], recipes: Sequence[RecipeFacts], encode: Encode, rankers: Rankers
) -> Items:
    """Fit the space of products and recipes: their words, types and ingredients."""
    names = tuple(sorted({name for recipe in recipes for name in recipe.ingredients}))
    text = fit_text_space(
        [*(product.title for product in products), *(recipe.title for recipe in recipes)],
        [*(product.tokens for product in products), *(recipe.tokens for recipe in recipes)],
    )
    named = (*(product.types for product in products), *(recipe.types for recipe in recipes))
    types = _types(sorted({name for each in named for name in each}))
    return Items(products, recipes, Space(text, types, names, encode), rankers)


def _types(names: Sequence[str]) -> Types:
    shelves = lexicon.shelves()
    of_types = [shelves.get(name, "") for name in names]
    departments = lexicon.departments()
    return Types(tuple(names), tuple(of_types), tuple(departments.get(shelf, "") for shelf in of_types))


def _tokens(conn: Connection) -> dict[int, str]:
    query = select(SearchDocument.document_id, SearchDocument.tokens).where(SearchDocument.source == RECIPES)
    return dict(conn.execute(query).all())
