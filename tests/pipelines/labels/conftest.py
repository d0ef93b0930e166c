"""A small catalog whose titles can be labelled."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.load.ledger import table_of
from pipelines.load.sources import load_source
from pipelines.report import Report
from sql.service.recipes import Ingredient, RecipeIngredient
from tests.builders.raw_runs import Item, kst, product, put_products, put_shows, show

SHOWN = 2_234_340_850
NAMES = ("감자", "양파")
Reload = Callable[[datetime, list[Item]], list[Report]]


@pytest.fixture
def reload(service: Engine, warehouse: Engine, store: Store) -> Reload:
    """Load product pages of the mall as of an instant."""

    def load(at: datetime, items: list[Item]) -> list[Report]:
        put_products(store, at, items)
        return load_source("kok", service, warehouse, store)

    return load


@pytest.fixture
def catalog(service: Engine, warehouse: Engine, store: Store, reload: Reload) -> None:
    """Recipes with potatoes and onions, two products of the mall and one of a broadcaster."""
    with service.begin() as conn:
        conn.execute(
            table_of(Ingredient).insert(), [{"ingredient_id": 7 + at, "name": name} for at, name in enumerate(NAMES)]
        )
        conn.execute(
            table_of(RecipeIngredient).insert(),
            [{"recipe_id": 1, "position": at, "name": name, "ingredient_id": 7 + at} for at, name in enumerate(NAMES)],
        )
    reload(kst("02:00"), [product(1, "국내산 감자 1kg"), product(2, "뭉게구름 햇감자 3kg")])
    put_shows(store, kst("03:00"), [show("10:00", "11:00", SHOWN, product_name="햇양파 3kg")])
    load_source("hnsmall", service, warehouse, store)
