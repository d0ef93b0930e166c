"""Without data, tables or a database: what is still answered, and what reports the problem."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, make_url, text
from starlette.testclient import TestClient

from tests.builders.waiting import until
from tests.conftest import Stack
from tests.serving.conftest import sign_up
from tests.serving.gate import Gate

EMPTY = {
    "/api/homeshopping/schedule": {"schedules": []},
    "/api/homeshopping/schedule?live_date=2025-08-06": {"schedules": []},
    "/api/homeshopping/search?keyword=감자": {"total": 0, "page": 1, "size": 20, "products": [], "did_you_mean": None},
    "/api/homeshopping/product/1/check": {"is_ingredient": False},
    "/api/homeshopping/product/1/kok-recommend": {
        "products": [],
        "release_version": None,
        "stage": None,
        "fallback": True,
    },
    "/api/kok/discounted": {"products": []},
    "/api/kok/top-selling": {"products": []},
    "/api/kok/store-best-items": {"products": []},
    "/api/kok/search?keyword=감자": {"total": 0, "page": 1, "size": 20, "products": [], "did_you_mean": None},
    "/api/recommend/release": {"version": None, "built_at": None, "problem": None, "canary": None},
}
EMPTY_FOR_USERS = {
    "/api/recipes/search?recipe=감자": {
        "recipes": [],
        "page": 1,
        "size": 15,
        "total": 0,
        "fallback": False,
        "did_you_mean": None,
    },
    "/api/recipes/search?recipe=감자,양파&method=ingredient": {
        "recipes": [],
        "page": 1,
        "size": 15,
        "total": 0,
        "fallback": False,
        "did_you_mean": None,
    },
    "/api/recipes/감자/product-recommend": {
        "ingredient": "감자",
        "recommendations": [],
        "total_count": 0,
        "release_version": None,
        "fallback": True,
        "did_you_mean": None,
    },
}
NOT_FOUND = ("/api/homeshopping/product/1", "/api/homeshopping/product/1/recipe-recommend", "/api/kok/product/1/info")


def dependencies(client: TestClient) -> dict[str, str]:
    return dict(client.get("/readyz").json()["dependencies"])


def assert_empty(client: TestClient) -> None:
    for path, body in EMPTY.items():
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, body), path
    assert {client.get(path).status_code for path in NOT_FOUND} == {404}


def test_an_empty_system_answers_with_empty_lists_and_flags(service: Engine, start: Callable[[], TestClient]) -> None:
    client = start()
    assert_empty(client)
    person = sign_up(client)
    for path, body in EMPTY_FOR_USERS.items():
        answer = client.get(path, headers=person.headers)
        assert (answer.status_code, answer.json()) == (200, body), path
    three = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=쌀&unit=g&unit=g&unit=g"
    assert client.get(three, headers=person.headers).json()["recipes"] == []
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert client.get("/api/health").json()["timestamp"] == "2025-08-06T12:00:00", "the time in Korea, as everywhere"


@pytest.fixture
def without_tables(stack: Stack, configured: pytest.MonkeyPatch) -> Iterator[None]:
    """Configure the process for two databases that were never upgraded."""
    made = []
    for name, server in (("SERVICE", stack.service_url), ("WAREHOUSE", stack.warehouse_url)):
        database = f"ukok_bare_{secrets.token_hex(4)}"
        admin = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        with admin.connect() as conn:
            conn.execute(text(f"CREATE DATABASE {database}"))
        made.append((admin, database))
        url = make_url(server).set(database=database).render_as_string(hide_password=False)
        configured.setenv(f"UKOK_{name}_DB_URL", url)
    yield
    for admin, database in made:
        force = " WITH (FORCE)" if admin.dialect.name == "postgresql" else ""
        with admin.connect() as conn:
            conn.execute(text(f"DROP DATABASE {database}{force}"))


def test_without_tables_answers_are_empty_and_a_command_is_named(
    without_tables: None, start: Callable[[], TestClient]
) -> None:
    client = start()
    assert_empty(client)
    missing = "tables are missing: run `ukok db upgrade`"
    assert dependencies(client) == {"logins": missing, "catalog": missing, "release": "ok", "events": missing}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    body = {"email": "a@example.com", "password": "abcd", "username": "손님"}
    answer = client.post("/api/user/signup", json=body)
    assert (answer.status_code, answer.json()) == (503, {"detail": missing})


def test_without_the_warehouse_only_events_are_refused(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)

    def activity() -> Any:
        return client.post("/api/log/user/activity", json={"action": "x"}, headers=person.headers)

    assert activity().status_code == 201
    door.shut()
    refused = activity()
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert client.get("/api/kok/discounted").json()["products"]
    assert client.get("/api/user/info", headers=person.headers).status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["dependencies"] == {
        "logins": "ok",
        "catalog": "ok",
        "release": "ok",
        "events": "the database does not answer",
    }
    assert 'ukok_dependency_up{dependency="events"} 0.0' in client.get("/metrics").text
    door.open()
    until(lambda: activity().status_code == 201, "events are stored again")
    assert client.get("/readyz").status_code == 200


def test_without_the_service_database_only_the_catalog_is_served(
    filled: Engine, gate: Callable[[str], Gate], configured: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    configured.setattr("serving.web.auth.STALE_AFTER_SECONDS", 0.5)
    door = gate("service")
    client = start()
    person = sign_up(client)
    door.shut()
    until(lambda: dependencies(client)["logins"] != "ok", "the loss is noticed")
    assert client.get("/api/kok/discounted").json()["products"], "from memory"
    assert client.get("/api/homeshopping/schedule", headers=person.headers).json()["schedules"], "as anonymous"
    page = "/api/recipes/9001"
    until(lambda: client.get(page, headers=person.headers).status_code == 503, "logins count as unknown")
    for path in ("/api/user/info", page, "/api/recipes/search?recipe=감자"):
        answer = client.get(path, headers=person.headers)
        assert answer.status_code == 503, path
        assert int(answer.headers["retry-after"]) > 0
        assert client.get(path).status_code == 401, path
    form = {"username": person.email, "password": person.password}
    login = client.post("/api/user/login", data=form)
    assert (login.status_code, login.json()) == (503, {"detail": "the database does not answer"})
    assert client.get("/readyz").json()["dependencies"]["events"] == "ok"
    door.open()
    until(lambda: client.get("/api/user/info", headers=person.headers).status_code == 200, "logins are back")
    until(lambda: client.get("/readyz").status_code == 200, "all is well again")


def test_silent_service_database_is_reported_and_recovers(
    filled: Engine, gate: Callable[[str], Gate], configured: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    configured.setattr("serving.runtime.runtime.SILENCE_SECONDS", 1)
    door = gate("service")
    client = start()
    person = sign_up(client)
    door.silence()
    until(lambda: dependencies(client)["logins"] != "ok", "the silence is noticed")
    assert client.get("/readyz").status_code == 503
    assert client.get("/api/kok/discounted").json()["products"], "from memory"
    door.open()
    if filled.dialect.name == "postgresql":
        # Its driver waits as long as the other side acknowledges packets, which a lost host does not.
        assert dependencies(client)["logins"].startswith("no answer for ")
        door.shut()
        door.open()
    until(lambda: client.get("/readyz").status_code == 200, "all is well again")
    assert client.get("/api/user/info", headers=person.headers).status_code == 200


@pytest.mark.parametrize("stack", ["servers"], indirect=True)
def test_write_to_a_silent_mariadb_times_out(
    filled: Engine, gate: Callable[[str], Gate], configured: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    configured.setattr("serving.runtime.runtime.SILENCE_SECONDS", 1)
    door = gate("service")
    client = start()
    door.silence()
    account = {"email": "someone@example.com", "password": "a right password", "username": "손님"}
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(client.post, "/api/user/signup", json=account)
        try:
            answer = posted.result(20)
        finally:
            door.shut()
    assert (answer.status_code, answer.json()) == (503, {"detail": "the database does not answer"})
