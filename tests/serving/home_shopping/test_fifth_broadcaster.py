"""A source that no code names: its products are released, recommended, searched and served like all others."""

from collections.abc import Callable

from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from artifacts import release as releases
from artifacts.store import Store
from recommender.manifest import Manifest
from sql.service.catalog import Broadcast, HomeShoppingProduct, ProductIngredient, SearchDocument
from tests.builders import tiny_release
from tests.builders.small_catalog import LONG_AGO, NOON, POTATO, at

SOURCE, CHANNEL, LIVE_ID, PRODUCT_ID = "newshopping", 6, 70, 9_000_000_001


def add_product(service: Engine) -> None:
    """Potatoes of a new broadcaster, on air this afternoon."""
    key = {"source": SOURCE, "source_product_id": PRODUCT_ID}
    product = key | {"product_name": "두메 햇감자 5kg", "price_kind": "unknown", "first_seen_at": LONG_AGO}
    show = key | {"broadcast_id": LIVE_ID, "channel_id": CHANNEL, "slot": "main", "price_kind": "unknown"}
    with service.begin() as conn:
        conn.execute(
            insert(HomeShoppingProduct), product | {"is_food": True, "is_ingredient": True, "resolver_version": "1"}
        )
        conn.execute(insert(Broadcast), show | {"starts_at": at(6, "16:00"), "ends_at": at(6, "17:00")})
        conn.execute(insert(ProductIngredient), key | {"position": 0, "ingredient_id": POTATO})
        conn.execute(insert(SearchDocument), {"source": SOURCE, "document_id": PRODUCT_ID, "tokens": "두메 감자"})


def test_products_of_a_new_broadcaster_are_released_and_served(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    add_product(filled)
    version = tiny_release.build(filled, warehouse, store, NOON)
    assert releases.read_manifest(store, version, Manifest).counts.home_shopping_products == 7
    tiny_release.make_live(store, version)
    client = start()

    recipes = client.get(f"/api/recommend/product/{SOURCE}/{PRODUCT_ID}/recipes").json()
    assert recipes["stage"] == "release"
    assert {recipe["reason"] for recipe in recipes["recipes"]} == {"contains:감자"}
    mall = client.get(f"/api/homeshopping/product/{PRODUCT_ID}/kok-recommend").json()
    assert (mall["stage"], mall["products"][0]["kok_product_id"]) == ("release", 101)
    day = client.get("/api/homeshopping/schedule?live_date=2025-08-06").json()["schedules"]
    assert [row["live_id"] for row in day if row["homeshopping_id"] == CHANNEL] == [LIVE_ID]
    found = client.get("/api/homeshopping/search", params={"keyword": "두메"}).json()
    assert [row["live_id"] for row in found["products"]] == [LIVE_ID]
    channels = client.get("/api/homeshopping/on-air").json()["channels"]
    assert [c["next"]["products"][0]["live_id"] for c in channels if c["homeshopping_id"] == CHANNEL] == [LIVE_ID]


def test_a_source_without_the_product_is_not_found(client: TestClient) -> None:
    assert client.get("/api/recommend/product/nobody/101/recipes").status_code == 404
