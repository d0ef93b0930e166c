"""Products of the service database as the relations see them: food and supplements that are on sale."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Subquery, and_, literal, null, or_, select

from artifacts.datasets import write_snapshot
from artifacts.store import Store
from recommender.product_ref import KOK, ProductRef
from recommender.relations.facts import ProductFacts, kind_of, split_types
from recommender.text.title_words import Kind
from sql.service.catalog import HomeShoppingProduct, KokProduct, ProductIngredient, ProductItem, SearchDocument
from sql.service.recipes import Ingredient

DATASET: Final = "products"


def read_products(service: Engine) -> list[ProductFacts]:
    """Read the products on sale that are food or supplements, in order of source and id."""
    kok = (
        select(
            literal(KOK).label("source"),
            KokProduct.kok_product_id.label("product_id"),
            *_reading(KokProduct),
            KokProduct.review_count,
        )
        .where(_edible(KokProduct), KokProduct.vanished_at.is_(None))
        .subquery()
    )
    shown = (
        select(
            HomeShoppingProduct.source,
            HomeShoppingProduct.source_product_id.label("product_id"),
            *_reading(HomeShoppingProduct),
            null().label("review_count"),
        )
        .where(_edible(HomeShoppingProduct))
        .subquery()
    )
    with service.connect() as conn:
        ingredients = _ingredients(conn)
        rows = [row for table in (kok, shown) for row in conn.execute(_with_documents(table))]
    facts = (_facts(row, ingredients.get(ProductRef(row.source, row.product_id), ())) for row in rows)
    return sorted(facts, key=lambda product: product.ref)


def snapshot(store: Store, products: Sequence[ProductFacts], raw_files: Sequence[str] = ()) -> str:
    """Write the products as a dataset snapshot and return its version; ``raw_files``: those that they come from."""
    table = pd.DataFrame(
        {
            "source": [product.ref.source for product in products],
            "product_id": [product.ref.product_id for product in products],
            "title": [product.title for product in products],
            "kind": [str(product.kind) for product in products],
            "reviews": [product.reviews for product in products],
            "types": ["\t".join(product.types) for product in products],
            "ingredients": ["\t".join(product.ingredients) for product in products],
        }
    )
    return write_snapshot(store, DATASET, {DATASET: table}, raw_files)


def _reading(table: type[KokProduct] | type[HomeShoppingProduct]) -> tuple[Any, ...]:
    return (
        table.product_name,
        table.kind,
        table.is_food,
        table.is_ingredient,
        table.product_types,
        table.recipe_probability,
    )


def _edible(table: type[KokProduct] | type[HomeShoppingProduct]) -> ColumnElement[bool]:
    return or_(table.is_food, table.kind == Kind.SUPPLEMENT)


def _with_documents(products: Subquery) -> Select[*tuple[Any, ...]]:
    """The rows of a subquery of products, with their search tokens and their item."""
    return (
        select(products, SearchDocument.tokens, ProductItem.item_id)
        .outerjoin(
            SearchDocument,
            and_(SearchDocument.source == products.c.source, SearchDocument.document_id == products.c.product_id),
        )
        .outerjoin(
            ProductItem,
            and_(ProductItem.source == products.c.source, ProductItem.source_product_id == products.c.product_id),
        )
    )


def _ingredients(conn: Connection) -> dict[ProductRef, tuple[str, ...]]:
    names = (
        select(ProductIngredient.source, ProductIngredient.source_product_id, Ingredient.name)
        .join(Ingredient, Ingredient.ingredient_id == ProductIngredient.ingredient_id)
        .order_by(ProductIngredient.source, ProductIngredient.source_product_id, ProductIngredient.position)
    )
    found: dict[ProductRef, tuple[str, ...]] = {}
    for source, product_id, name in conn.execute(names):
        ref = ProductRef(source, product_id)
        found[ref] = (*found.get(ref, ()), name)
    return found


def _facts(row: Row[Any], ingredients: tuple[str, ...]) -> ProductFacts:
    return ProductFacts(
        ref=ProductRef(row.source, row.product_id),
        title=row.product_name,
        tokens=row.tokens or "",
        kind=kind_of(row.kind, is_food=row.is_food, is_ingredient=row.is_ingredient),
        types=split_types(row.product_types),
        ingredients=ingredients,
        recipes=float(row.is_ingredient) if row.recipe_probability is None else row.recipe_probability,
        reviews=row.review_count or 0,
        item_id=row.item_id,
    )
