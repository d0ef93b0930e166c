"""Events that the API records itself: views, searches and recommendations with their positions."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Row, select
from starlette.testclient import TestClient

from artifacts.store import Store
from sql.warehouse.events import UserEvent
from tests.builders import tiny_release
from tests.builders.small_catalog import BIG_ID, NOON
from tests.serving.conftest import Person, eventually, sign_up
from tests.serving.gate import Gate

RECIPES = f"/api/homeshopping/product/{BIG_ID}/recipe-recommend"


def rows(warehouse: Engine) -> list[Row[Any]]:
    with warehouse.connect() as conn:
        event = select(UserEvent.__table__).where(UserEvent.event_type.not_in(["user_signup", "user_login"]))
        return list(conn.execute(event.order_by(UserEvent.event_id)))


def test_views_of_users_are_recorded_each_time_not_of_visitors(client: TestClient, warehouse: Engine) -> None:
    person = sign_up(client)
    for _ in range(2):
        assert client.get("/api/kok/product/101/info").status_code == 200
        assert client.get("/api/kok/product/101/info", headers=person.headers).status_code == 200
    assert client.get("/api/homeshopping/product/2", headers=person.headers).status_code == 200
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 200
    eventually(lambda: len(rows(warehouse)) == 4, "the views are stored")
    assert [(row.event_type, row.payload) for row in rows(warehouse)] == [
        ("kok_product_info_view", {"kok_product_id": 101}),
        ("kok_product_info_view", {"kok_product_id": 101}),
        (
            "homeshopping_product_detail_view",
            {"live_id": 2, "product_id": 21_000_002, "product_source": "hnsmall"},
        ),
        ("recipe_detail_view", {"recipe_id": 9001}),
    ]
    assert {row.user_id for row in rows(warehouse)} == {person.user_id}


def test_recommendations_are_recorded_with_release_and_positions(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    client = start()
    person = sign_up(client)
    shown = client.get(RECIPES, headers=person.headers).json()
    eventually(lambda: len(rows(warehouse)) == 1, "the impressions are stored")
    (row,) = rows(warehouse)
    assert row.event_type == "homeshopping_recipe_recommendation"
    assert (row.payload["release_version"], row.payload["stage"]) == (version, "release")
    assert (row.payload["product_id"], row.payload["product_source"]) == (BIG_ID, "hmall")
    assert row.payload["impressions"] == [
        {"position": position, "recipe_id": recipe["recipe_id"], "reason": recipe["reason"]}
        for position, recipe in enumerate(shown["recipes"], start=1)
    ]
    for recipe in shown["recipes"]:
        assert (recipe["release_version"], recipe["stage"], recipe["fallback"]) == (version, "release", False)
    counted = 'ukok_recommendations_total{release="%s",route="%s",stage="release"} 1.0'
    route = "/api/homeshopping/product/{product_id}/recipe-recommend"
    assert counted % (version, route) in client.get("/metrics").text


def test_without_the_warehouse_answers_come_and_drops_are_counted(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)
    door.shut()
    eventually(lambda: client.get("/readyz").json()["dependencies"]["events"] != "ok", "the loss is noticed")
    assert client.get("/api/kok/product/101/info", headers=person.headers).status_code == 200
    before = client.get("/metrics").text
    assert client.get("/api/kok/product/101/info", headers=person.headers).status_code == 200
    assert dropped(client.get("/metrics").text) == dropped(before) + 1


def dropped(metrics: str) -> float:
    line = next(line for line in metrics.splitlines() if line.startswith("ukok_events_dropped_total"))
    return float(line.split()[1])


def test_actions_of_users_are_recorded_by_their_event_types(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    for service, key in (("kok", "kok_keyword"), ("homeshopping", "homeshopping_keyword")):
        assert client.get(f"/api/{service}/search?keyword=감자", headers=person.headers).status_code == 200
        history = f"/api/{service}/search/history"
        assert client.post(history, json={"keyword": "감자"}, headers=person.headers).status_code == 200
        assert client.get(history, headers=person.headers).json()["history"][0][key] == "감자"
    assert client.get("/api/user/info", headers=person.headers).status_code == 200
    assert client.get("/api/recipes/search?recipe=감자", headers=person.headers).status_code == 200
    assert client.post("/api/user/logout", headers=person.headers).status_code == 200
    expected = [
        "kok_product_search",
        "kok_search_history_save",
        "kok_search_history_view",
        "homeshopping_search",
        "homeshopping_search_history_save",
        "homeshopping_search_history_view",
        "user_info_view",
        "recipe_search_by_keyword",
        "user_logout",
    ]
    eventually(lambda: len(rows(warehouse)) == len(expected), "everything is stored")
    assert [row.event_type for row in rows(warehouse)] == expected
    assert rows(warehouse)[0].payload == {"keyword": "감자", "result_count": 1}
