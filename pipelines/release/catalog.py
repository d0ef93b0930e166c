"""The catalog that a release is evaluated against, read from the service database."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, select

from pipelines.train import corpora
from recommender.evaluation.catalog import Catalog, CatalogProduct
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.relations.facts import ProductFacts
from recommender.text.ingredients import canonical_name
from recommender.text.title_words import Kind
from sql.service.catalog import SearchDocument
from sql.service.recipes import Ingredient, IngredientSynonym

Tokens = dict[tuple[str, int], tuple[str, ...]]
RECIPES = "recipes"


def read_catalog(service: Engine, corpus: RecipeCorpus, products: Sequence[ProductFacts]) -> Catalog:
    """Add search tokens, synonyms and written names to recipes and products that have been read already."""
    documents = select(SearchDocument.source, SearchDocument.document_id, SearchDocument.tokens)
    synonyms = select(IngredientSynonym.variant, Ingredient.name).join(
        Ingredient, Ingredient.ingredient_id == IngredientSynonym.ingredient_id
    )
    with service.connect() as conn:
        tokens = {(source, number): tuple(text.split()) for source, number, text in conn.execute(documents)}
        known = dict(conn.execute(synonyms).all())
    written = {name for basket in corpora.read_recipes(service, as_written=True).baskets for name in basket}
    canonical = {name: name_of for name in sorted(written) if (name_of := canonical_name(name))}
    return replace(catalog_of(corpus, products, tokens, known), written=canonical)


def catalog_of(
    corpus: RecipeCorpus, products: Sequence[ProductFacts], tokens: Tokens, synonyms: dict[str, str]
) -> Catalog:
    """The catalog of recipes and products; ``tokens`` by source and id."""
    return Catalog(
        products=tuple(
            CatalogProduct(
                ref=product.ref,
                title=product.title,
                ingredients=product.ingredients,
                is_ingredient=product.kind is Kind.INGREDIENT,
                popularity=float(product.reviews),
                tokens=tuple(product.tokens.split()),
            )
            for product in products
        ),
        corpus=corpus,
        recipe_tokens=tuple(tokens.get((RECIPES, recipe_id), ()) for recipe_id in corpus.recipe_ids.tolist()),
        synonyms=synonyms,
    )
