"""What is read alike for products of the mall and of broadcasters: their ingredients and search tokens."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from recommender.product_ref import ProductRef
from sql.service.catalog import ProductIngredient, SearchDocument
from sql.service.recipes import Ingredient


def read_product_ingredients(conn: Connection, sources: Iterable[str]) -> dict[ProductRef, tuple[str, ...]]:
    """Read the ingredient names that each product title was resolved to, the main ingredient first."""
    query = (
        select(ProductIngredient.source, ProductIngredient.source_product_id, Ingredient.name)
        .join(Ingredient, Ingredient.ingredient_id == ProductIngredient.ingredient_id)
        .where(ProductIngredient.source.in_(tuple(sources)))
        .order_by(ProductIngredient.source, ProductIngredient.source_product_id, ProductIngredient.position)
    )
    ingredients: dict[ProductRef, tuple[str, ...]] = defaultdict(tuple)
    for source, product_id, name in conn.execute(query):
        ingredients[ProductRef(source, product_id)] += (name,)
    return dict(ingredients)


def read_product_tokens(conn: Connection, sources: Iterable[str]) -> dict[ProductRef, str]:
    """Read the search tokens of each product, separated by spaces."""
    query = select(SearchDocument.source, SearchDocument.document_id, SearchDocument.tokens)
    rows = conn.execute(query.where(SearchDocument.source.in_(tuple(sources))))
    return {ProductRef(source, document_id): tokens for source, document_id, tokens in rows}
