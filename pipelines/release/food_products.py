"""Food products of the service database: titles, kinds and resolved ingredients."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
from sqlalchemy import Engine, select

from artifacts.datasets import write_snapshot
from artifacts.store import Store
from recommender.product_ref import KOK
from recommender.text.titles import normalise_title
from sql.service.catalog import HomeShoppingProduct, KokProduct, ProductIngredient
from sql.service.recipes import Ingredient

DATASET: Final = "products"


@dataclass(frozen=True, slots=True)
class FoodProduct:
    """A food product. ``ingredients`` are canonical names, the product itself first; ``popularity`` counts reviews."""

    source: str
    product_id: int
    title: str
    is_ingredient: bool
    ingredients: tuple[str, ...]
    popularity: int

    @property
    def text(self) -> str:
        """The text that the sentence encoder reads: the title without its packaging."""
        return normalise_title(self.title)


def read_products(service: Engine) -> list[FoodProduct]:
    """Read the food products on sale, in order of source and id; other products are not recommended."""
    kok = select(
        KokProduct.kok_product_id, KokProduct.product_name, KokProduct.is_ingredient, KokProduct.review_count
    ).where(KokProduct.is_food, KokProduct.vanished_at.is_(None))
    home_shopping = select(
        HomeShoppingProduct.source,
        HomeShoppingProduct.source_product_id,
        HomeShoppingProduct.product_name,
        HomeShoppingProduct.is_ingredient,
    ).where(HomeShoppingProduct.is_food)
    names = (
        select(ProductIngredient.source, ProductIngredient.source_product_id, Ingredient.name)
        .join(Ingredient, Ingredient.ingredient_id == ProductIngredient.ingredient_id)
        .order_by(ProductIngredient.source, ProductIngredient.source_product_id, ProductIngredient.position)
    )
    with service.connect() as conn:
        ingredients: dict[tuple[str, int], list[str]] = defaultdict(list)
        for source, product_id, name in conn.execute(names):
            ingredients[source, product_id].append(name)
        rows = [(KOK, *row) for row in conn.execute(kok)]
        rows += [(*row, 0) for row in conn.execute(home_shopping)]
    products = [
        FoodProduct(source, product_id, title, is_ingredient, tuple(ingredients[source, product_id]), popularity or 0)
        for source, product_id, title, is_ingredient, popularity in rows
    ]
    return sorted(products, key=lambda product: (product.source, product.product_id))


def snapshot(store: Store, products: list[FoodProduct], raw_files: Sequence[str] = ()) -> str:
    """Write the products as a dataset snapshot and return its version; ``raw_files``: those that they come from."""
    columns = ("source", "product_id", "title", "is_ingredient", "popularity")
    table = pd.DataFrame({name: [getattr(product, name) for product in products] for name in columns})
    table["ingredients"] = ["\t".join(product.ingredients) for product in products]
    return write_snapshot(store, DATASET, {DATASET: table}, raw_files)
