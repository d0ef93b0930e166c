"""Faults of an earlier backend, each of which this API must not have."""

import ast
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine, event, func, make_url, select, text
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from sql.warehouse.events import UserEvent
from tests.builders.api_process import served
from tests.builders.small_catalog import BIG_ID, set_price
from tests.builders.waiting import until
from tests.conftest import Stack
from tests.serving.conftest import Now, Person, sign_up
from tests.serving.gate import Gate

ACTIVITY = "/api/log/user/activity"


def test_fault_1_a_wrong_password_is_no_server_error(client: TestClient, person: Person) -> None:
    answer = client.post("/api/user/login", data={"username": person.email, "password": "wrong"})
    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)


def test_fault_2_an_event_that_was_acknowledged_is_committed(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    event_id = client.post(ACTIVITY, json={"action": "x"}, headers=person.headers).json()["event_id"]
    with warehouse.connect() as conn:
        sent = select(UserEvent.event_id).where(UserEvent.event_type == "user_activity_x")
        assert str(conn.scalar(sent)) == event_id


def test_fault_3_nobody_writes_or_reads_events_of_another_user(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    other = sign_up(client)
    body = {"action": "x", "user_id": other.user_id}
    assert client.post(ACTIVITY, json=body, headers=person.headers).status_code == 403
    assert client.post(ACTIVITY, json=body).status_code == 401
    event, path = {"user_id": other.user_id, "event_type": "x"}, "/api/log/user/event"
    assert client.post(path, json=event).status_code == 401
    assert client.post(path, json=event, headers=person.headers).status_code == 403
    assert client.get(f"{path}/{other.user_id}").status_code == 401
    assert client.get(f"{path}/{other.user_id}", headers=person.headers).status_code == 403
    assert client.get(f"{path}/{person.user_id}", headers=person.headers).status_code == 200
    with warehouse.connect() as conn:
        sent = select(func.count()).where(UserEvent.event_type.in_(["user_activity_x", "x"]))
        assert conn.scalar(sent) == 0


def test_fault_4_no_token_is_trusted_while_logouts_are_unknown(
    filled: Engine, gate: Callable[[str], Gate], configured: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    configured.setattr("serving.web.auth.STALE_AFTER_SECONDS", 0.5)
    door = gate("service")
    client = start()
    person = sign_up(client)
    page = "/api/recipes/9001"
    assert client.get(page, headers=person.headers).status_code == 200
    door.shut()
    until(lambda: client.get(page, headers=person.headers).status_code == 503, "not even a kept answer")
    assert client.get("/api/user/info", headers=person.headers).status_code == 503
    assert client.post(ACTIVITY, json={"action": "x"}, headers=person.headers).status_code == 503


def test_fault_5_page_2_of_a_recipe_search_does_not_repeat_page_1(client: TestClient, person: Person) -> None:
    def page(number: int) -> list[int]:
        query = f"recipe=감자&page={number}&size=1&method=recipe"
        answer = client.get(f"/api/recipes/search?{query}", headers=person.headers).json()
        assert answer["total"] == 2
        return [recipe["recipe_id"] for recipe in answer["recipes"]]

    assert [page(1), page(2), page(3)] == [[9003], [9001], []]


def test_fault_6_viewed_mall_products_lead_to_shows_without_fallback(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    assert client.get("/api/kok/product/103/info", headers=person.headers).status_code == 200

    def viewed() -> int:
        with warehouse.connect() as conn:
            views = select(func.count()).where(UserEvent.event_type == "kok_product_info_view")
            return conn.scalar(views) or 0

    until(lambda: viewed() == 1, "the view is stored")
    body = client.get("/api/kok/product/homeshopping-recommend", headers=person.headers).json()
    assert body["stage"] == "resolved", "not what is popular"
    assert [row["live_id"] for row in body["recommendations"]] == [2], "pork, which is what was looked at"
    assert body["recommendations"][0]["reason"] == "contains:돼지고기"


def test_fault_7_past_and_cancelled_broadcasts_are_not_offered(client: TestClient, person: Person, now: Now) -> None:
    def offered(ingredient: str) -> list[int]:
        answer = client.get(f"/api/recipes/{ingredient}/product-recommend", headers=person.headers).json()
        return [row["live_id"] for row in answer["recommendations"] if row["live_id"]]

    cancelled, past = 8, 5
    schedule = [row["live_id"] for row in client.get("/api/homeshopping/schedule").json()["schedules"]]
    assert cancelled not in schedule
    assert client.get(f"/api/homeshopping/product/{cancelled}").status_code == 404
    assert past not in schedule
    assert (offered("쌀"), offered("양파"), offered("감자")) == ([], [], [6])
    now.forward(hours=14)
    person = sign_up(client)
    assert offered("감자") == [], "by now tomorrow's show is over too"


def test_fault_8_cached_list_follows_data_and_page_size(client: TestClient, filled: Engine) -> None:
    def discounted(size: int) -> list[int]:
        products = client.get(f"/api/kok/discounted?size={size}&use_cache=true").json()["products"]
        return [product["kok_product_id"] for product in products]

    assert (discounted(1), discounted(20)) == ([103], [103, 101])
    set_price(filled, 102, 4000, 50)
    until(lambda: discounted(1) == [102], "the refresh shows")
    assert discounted(20) == [102, 103, 101]


def test_fault_9_the_vocabulary_is_not_read_again_for_a_request(client: TestClient, person: Person) -> None:
    engine = client.app.state.runtime.service_db  # type: ignore[attr-defined]
    statements: list[str] = []

    def count(*arguments: Any) -> None:
        statements.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", count)
    three = "ingredient=감자&ingredient=양파&ingredient=돈육&amount=100&amount=100&amount=100"
    for path in (
        f"/api/recipes/by-ingredients?{three}",
        "/api/recipes/search?recipe=돈육&method=ingredient",
        "/api/recipes/search?recipe=김치찌게",
        "/api/recipes/햇감자/product-recommend",
        "/api/recommend/ingredients?prefix=감",
        f"/api/homeshopping/product/{BIG_ID}/recipe-recommend",
    ):
        assert client.get(path, headers=person.headers).status_code == 200, path
    event.remove(engine, "before_cursor_execute", count)
    assert [statement for statement in statements if "ingredient" in statement or "synonym" in statement] == []


def test_fault_11_no_log_holds_the_password_of_a_database(
    stack: Stack, stack_env: dict[str, str], tmp_path: Path
) -> None:
    password = "s3cr3t-w0rd-of-a-database"
    env = dict(stack_env)
    for name, own_url in (("SERVICE", stack.service_url), ("WAREHOUSE", stack.warehouse_url)):
        url = make_url(own_url).set(password=password)
        env[f"UKOK_{name}_DB_URL"] = url.render_as_string(hide_password=False)
    with served("serving.gateway.main", env, tmp_path / "server.log") as server:
        shown = [httpx.get(f"{server.url}{path}").text for path in ("/readyz", "/metrics", "/api/user/info")]
    log = (tmp_path / "server.log").read_text()
    assert "started" in log
    assert password not in log + "".join(shown)


def test_fault_10_no_async_handler_touches_a_blocking_driver() -> None:
    for route in create_app().routes:
        if isinstance(route, APIRoute) and inspect.iscoroutinefunction(route.endpoint):
            tree = ast.parse(inspect.cleandoc(inspect.getsource(route.endpoint)))
            names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert not names & {"service_db", "begin", "connect", "execute"}, route.path


def test_fault_10_hanging_database_delays_only_requests_that_use_it(client: TestClient, service: Engine) -> None:
    form = {"username": "someone@example.com", "password": "whatever"}
    with ThreadPoolExecutor(8) as pool, service.connect() as lock:
        if service.dialect.name == "postgresql":
            lock.execute(text("LOCK TABLE user_account IN ACCESS EXCLUSIVE MODE"))
        else:
            lock.execute(text("LOCK TABLES user_account WRITE"))
        logins = [pool.submit(client.post, "/api/user/login", data=form) for _ in range(8)]
        for _ in range(50):
            assert client.get("/api/homeshopping/schedule").status_code == 200
        assert not any(login.done() for login in logins)
        if service.dialect.name != "postgresql":
            lock.execute(text("UNLOCK TABLES"))
        lock.rollback()
        assert {login.result().status_code for login in logins} == {401}


def test_fault_12_ingredients_no_recipe_combines_find_recipes(client: TestClient, person: Person) -> None:
    query = "ingredient=감자&ingredient=쌀&ingredient=김치&unit=g&unit=g&unit=g"
    answer = client.get(f"/api/recipes/by-ingredients?{query}", headers=person.headers).json()
    assert {recipe["recipe_id"] for recipe in answer["recipes"]} == {9001, 9002, 9003, 9004, 9005}


def test_fault_13_recommendations_name_their_release_and_reason(client: TestClient) -> None:
    for path in ("recipe-recommend", "kok-recommend"):
        answer = client.get(f"/api/homeshopping/product/{BIG_ID}/{path}").json()
        assert {"release_version", "stage", "fallback"} <= answer.keys()
        items = answer.get("recipes") or answer["products"]
        assert items
        assert all(item["reason"] for item in items)
