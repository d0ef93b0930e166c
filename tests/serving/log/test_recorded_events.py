"""Events that the API records itself: views, searches and recommendations with their positions."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select
from starlette.testclient import TestClient

from artifacts.store import Store
from sql.warehouse.events import UserEvent
from tests.builders import tiny_release
from tests.builders.small_catalog import BIG_ID, NOON
from tests.builders.waiting import until
from tests.serving.conftest import Person, sign_up
from tests.serving.gate import Gate

RECIPES = f"/api/homeshopping/product/{BIG_ID}/recipe-recommend"


def rows(warehouse: Engine) -> list[Row[Any]]:
    with warehouse.connect() as conn:
        event = select(UserEvent.__table__).where(UserEvent.event_type.not_in(["user_signup", "user_login"]))
        return list(conn.execute(event.order_by(UserEvent.event_id)))


def test_views_of_users_are_recorded_each_time(client: TestClient, warehouse: Engine) -> None:
    person = sign_up(client)
    for _ in range(2):
        assert client.get("/api/kok/product/101/info", headers=person.headers).status_code == 200
    assert client.get("/api/homeshopping/product/2", headers=person.headers).status_code == 200
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 200
    until(lambda: len(rows(warehouse)) == 4, "the views are stored")
    assert [(row.event_type, row.payload) for row in rows(warehouse)] == [
        ("kok_product_info_view", {"kok_product_id": 101}),
        ("kok_product_info_view", {"kok_product_id": 101}),
        (
            "homeshopping_product_detail_view",
            {"live_id": 2, "product_id": 21_000_002, "product_source": "hnsmall"},
        ),
        ("recipe_detail_view", {"recipe_id": 9001}),
    ]
    assert {(row.user_id, row.session_id) for row in rows(warehouse)} == {(person.user_id, None)}


def test_only_pages_that_exist_are_recorded(client: TestClient, warehouse: Engine) -> None:
    person = sign_up(client)
    stock = "ingredient=감자&ingredient=양파&ingredient=돈육&unit=g&unit=개&unit=g"
    for path in ("/api/kok/carts/recipe-recommend?product_ids=101", f"/api/recipes/by-ingredients?{stock}"):
        for page, recorded in ((1_000_000, False), (1, True)):
            answer = client.get(f"{path}&page={page}", headers=person.headers)
            assert (answer.status_code, "x-impression-id" in answer.headers) == (200, recorded)
    nothing = client.get("/api/kok/carts/recipe-recommend?product_ids=999999", headers=person.headers)
    assert "x-impression-id" in nothing.headers, "an empty first page is an answer"
    until(lambda: len(rows(warehouse)) == 3, "what was shown is stored")


def test_views_of_anonymous_visitors_are_recorded_by_session(client: TestClient, warehouse: Engine) -> None:
    path = "/api/kok/product/101/info"
    first = client.get(path)
    cookie = first.headers["set-cookie"]
    assert re.fullmatch(r"ukok_session=[\w-]{22}; Path=/api; HttpOnly; SameSite=Lax", cookie)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"], "set-cookie" in again.headers) == (
        304,
        "no-cache",
        False,
    )
    named = client.get(path, headers={"X-Session-ID": "a-client"})
    client.cookies.clear()
    other = client.get(path, headers={"Cookie": "ukok_session=not/valid"})
    until(lambda: len(rows(warehouse)) == 4, "the views are stored")
    session, *sessions = [row.session_id for row in rows(warehouse)]
    assert session == client_session(cookie)
    assert sessions == [session, "a-client", client_session(other.headers["set-cookie"])]
    assert {(row.user_id, row.event_type) for row in rows(warehouse)} == {(None, "kok_product_info_view")}
    shown = [answer.headers["x-impression-id"] for answer in (first, again, named, other)]
    assert [str(row.event_id) for row in rows(warehouse)] == shown


def client_session(set_cookie: str) -> str:
    return set_cookie.partition(";")[0].partition("=")[2]


def test_the_cookie_is_secure_on_https(client: TestClient) -> None:
    answer = client.get("https://testserver/api/kok/discounted")
    assert answer.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("is_user", [False, True])
def test_a_click_names_the_impression(client: TestClient, warehouse: Engine, *, is_user: bool) -> None:
    headers = sign_up(client).headers if is_user else {}
    shown = client.get(f"/api/homeshopping/product/{BIG_ID}/kok-recommend", headers=headers)
    impression_id = shown.headers["x-impression-id"]
    click = {"action": "recommendation_click", "impression_id": impression_id, "extra_data": {"position": 1}}
    assert client.post("/api/log/user/activity", json=click, headers=headers).status_code == 201
    until(lambda: len(rows(warehouse)) == 2, "both are stored")
    impression, clicked = sorted(rows(warehouse), key=lambda row: row.event_type)
    assert clicked.payload == {"position": 1, "impression_id": str(impression.event_id)}
    assert (clicked.user_id, clicked.session_id) == (impression.user_id, impression.session_id)
    assert (impression.session_id is None) is is_user


def test_lists_are_recorded_with_what_they_showed(client: TestClient, person: Person, warehouse: Engine) -> None:
    lists = [
        ("/api/kok/discounted?size=2", "products", "kok_product_id"),
        ("/api/kok/top-selling", "products", "kok_product_id"),
        ("/api/kok/store-best-items", "products", "kok_product_id"),
        ("/api/kok/search?keyword=감자", "products", "kok_product_id"),
        ("/api/homeshopping/schedule", "schedules", "live_id"),
        ("/api/homeshopping/search?keyword=감자", "products", "live_id"),
        ("/api/recipes/search?recipe=감자", "recipes", "recipe_id"),
    ]
    shown = {}
    for path, key, name in lists:
        answer = client.get(path, headers=person.headers)
        assert answer.json()[key], path
        shown[answer.headers["x-impression-id"]] = (f"{name}s", [row[name] for row in answer.json()[key]])
    until(lambda: len(rows(warehouse)) == len(lists), "the impressions are stored")
    for row in rows(warehouse):
        name, ids = shown[str(row.event_id)]
        assert row.payload[name] == ids


def test_shows_on_air_are_recorded_with_session_and_items(client: TestClient, warehouse: Engine) -> None:
    answer = client.get("/api/homeshopping/on-air")
    until(lambda: len(rows(warehouse)) == 1, "the impression is stored")
    (row,) = rows(warehouse)
    assert (row.event_type, str(row.event_id)) == ("homeshopping_on_air_view", answer.headers["x-impression-id"])
    assert (row.user_id, row.session_id) == (None, client_session(answer.headers["set-cookie"]))
    shows = [channel[when] for channel in answer.json()["channels"] for when in ("now", "next")]
    shown = [product["live_id"] for show in shows if show for product in show["products"]]
    assert row.payload == {"live_ids": shown}
    assert len(shown) > 1


def test_recommendations_are_recorded_with_release_and_positions(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    client = start()
    person = sign_up(client)
    shown = client.get(RECIPES, headers=person.headers).json()
    until(lambda: len(rows(warehouse)) == 1, "the impressions are stored")
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
    substitutes = client.get("/api/recommend/ingredient/감자/substitutes").json()
    until(lambda: len(rows(warehouse)) == 2, "the substitutes are stored")
    assert rows(warehouse)[1].payload == {
        "ingredient": "감자",
        "release_version": version,
        "stage": substitutes["stage"],
        "impressions": [
            {"position": position, "ingredient": substitute["ingredient"], "reason": "similar"}
            for position, substitute in enumerate(substitutes["substitutes"], start=1)
        ],
    }


def test_without_the_warehouse_answers_come_and_drops_are_counted(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)
    door.shut()
    until(lambda: client.get("/readyz").json()["dependencies"]["events"] != "ok", "the loss is noticed")
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
    until(lambda: len(rows(warehouse)) == len(expected), "everything is stored")
    assert [row.event_type for row in rows(warehouse)] == expected
    found = {"keyword": "감자", "result_count": 1, "page": 1, "size": 20, "kok_product_ids": [101]}
    assert rows(warehouse)[0].payload == found
