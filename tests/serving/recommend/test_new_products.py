"""Products that were loaded after the release was built: they get answers and are answers, without a rebuild."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from starlette.testclient import TestClient

from artifacts.store import Store
from recommender.text.title_words import Kind
from recommender.text.titles import tokens
from sql.service.catalog import KokProduct, ProductIngredient, SearchDocument
from tests.builders import tiny_release
from tests.builders.small_catalog import BIG_ID, NOON, POTATO, bump
from tests.builders.waiting import until
from tests.serving.conftest import sign_up

NEW = 199
TITLE = "햇감자 5kg"
MALL_FOR_BROADCAST = f"/api/recommend/product/hmall/{BIG_ID}/products"
MALL_FOR_MALL = "/api/recommend/product/kok/101/products"
OWN = f"/api/recommend/product/kok/{NEW}"
FOR_INGREDIENT = "/api/recipes/감자/product-recommend"
FOR_RECIPE = "/api/recommend/recipe/9001/products"
SEARCH = f"/api/recommend/search?keyword={TITLE}"


@pytest.fixture
def client(filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]) -> TestClient:
    """Somebody who is logged in, at the gateway with a release."""
    tiny_release.make_live(store, tiny_release.build(filled, warehouse, store, NOON))
    client = start()
    client.headers.update(sign_up(client).headers)
    return client


def load(service: Engine) -> None:
    """Load a product of the mall as the load step does."""
    with service.begin() as conn:
        reading = {"is_food": True, "is_ingredient": True, "kind": str(Kind.INGREDIENT), "recipe_probability": 1.0}
        reading["product_types"] = "감자"
        own = {"kok_product_id": NEW, "store_name": "새가게", "product_name": TITLE, "review_count": 0}
        conn.execute(insert(KokProduct), reading | own | {"first_seen_at": NOON, "resolver_version": "test"})
        key = {"source": "kok", "source_product_id": NEW}
        conn.execute(insert(ProductIngredient), key | {"position": 0, "ingredient_id": POTATO})
        document = {"source": "kok", "document_id": NEW, "tokens": " ".join(tokens(TITLE))}
        conn.execute(insert(SearchDocument), document)
        bump(conn, "kok")


def answers(client: TestClient, path: str) -> list[int]:
    """Ids of the mall's products in an answer."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    body = response.json()
    rows = body["recommendations"] if "recommendations" in body else body["products"]
    rows = rows["products"] if isinstance(rows, dict) else rows  # a search also finds recipes
    return [row["kok_product_id"] if "kok_product_id" in row else row["product_id"] for row in rows if _of_mall(row)]


def _of_mall(row: dict[str, Any]) -> bool:
    return "kok" in {row.get("product_source"), row.get("source")}


def test_new_products_get_answers_and_are_answers(filled: Engine, client: TestClient) -> None:
    asked = (MALL_FOR_BROADCAST, MALL_FOR_MALL, FOR_INGREDIENT, FOR_RECIPE, SEARCH)
    before = {path: answers(client, path) for path in asked}
    assert not any(NEW in found for found in before.values())
    load(filled)
    until(lambda: client.get(f"{OWN}/products").status_code == 200, "the new product is known")

    after = {path: answers(client, path) for path in asked}
    for path in asked:
        assert NEW in after[path], path
        assert [number for number in after[path] if number != NEW] == before[path][: len(after[path]) - 1], path
    assert 101 in answers(client, f"{OWN}/products")
    recipes = client.get(f"{OWN}/recipes").json()
    assert (recipes["stage"], bool(recipes["recipes"])) == ("release", True)


def test_a_new_product_that_is_gone_is_no_answer(filled: Engine, client: TestClient) -> None:
    load(filled)
    until(lambda: NEW in answers(client, MALL_FOR_MALL), "the new product is an answer")
    with filled.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == NEW).values(vanished_at=NOON))
        bump(conn, "kok")
    until(lambda: NEW not in answers(client, MALL_FOR_MALL), "it is none any more")
