"""What is read alike for products of the mall and of broadcasters: their ingredients and search tokens."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from recommender.product_ref import ProductRef
from recommender.relations.facts import ProductFacts, kind_of, split_types
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


def product_facts(
    row: Row[Any],
    ref: ProductRef,
    ingredients: Mapping[ProductRef, tuple[str, ...]],
    tokens: Mapping[ProductRef, str],
    reviews: int = 0,
) -> ProductFacts:
    """What the title of a product's row was understood as."""
    return ProductFacts(
        ref=ref,
        title=row.product_name,
        tokens=tokens.get(ref, ""),
        kind=kind_of(row.kind, is_food=row.is_food, is_ingredient=row.is_ingredient),
        types=split_types(row.product_types),
        ingredients=ingredients.get(ref, ()),
        recipes=float(row.is_ingredient) if row.recipe_probability is None else row.recipe_probability,
        reviews=reviews,
        item_id=row.item_id,
    )
