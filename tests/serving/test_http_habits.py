"""HEAD, OPTIONS, conditional requests and beacons are answered as browsers, proxies and monitors expect."""

import json
import re
from typing import Any, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from tests.builders.waiting import until
from tests.serving.conftest import Person

# Of each request its own, or of an answer that somebody sees.
OWN = {"x-request-id", "x-impression-id", "set-cookie"}
PATHS = (
    "/api/kok/discounted",
    "/api/kok/discounted?size=1&page=2",
    "/api/kok/product/101/info",
    "/api/kok/product/999/info",
    "/api/homeshopping/schedule?live_date=2025-08-06",
    "/api/kok/search?keyword=감자",
    "/api/user/info",
    "/api/kok/discounted?size=x",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/no/such/route",
    "/api/user/login",
)
SESSION = {"X-Session-ID": "s1"}  # else the first answer sets a cookie
ACTIVITY = "/api/log/user/activity"


def routes(client: TestClient) -> dict[str, set[str]]:
    """The methods of each path of the OpenAPI, with a value for each of its parameters."""
    schema = cast(FastAPI, client.app).openapi()
    return {re.sub(r"{\w+}", "101", path): set(operations) for path, operations in schema["paths"].items()}


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    for _ in range(2):  # made and cached
        shown, asked = client.get(path, headers=SESSION), client.head(path, headers=SESSION)
        assert (asked.status_code, asked.content) == (shown.status_code, b"")
        assert {k: v for k, v in asked.headers.items() if k not in OWN} == {
            k: v for k, v in shown.headers.items() if k not in OWN
        }
        assert int(asked.headers["content-length"]) == len(shown.content)


def test_every_route_answers_head_and_options(client: TestClient, person: Person) -> None:
    found = routes(client)
    assert len(found) > 40
    for path, methods in found.items():
        if "get" in methods:
            assert client.head(path, headers=person.headers).status_code != 405, path
        else:
            refused = client.head(path)
            assert (refused.status_code, refused.content) == (405, b""), path
        allowed = client.options(path)
        assert (allowed.status_code, allowed.content) == (204, b""), path
        expected = {method.upper() for method in methods} | {"OPTIONS"} | ({"HEAD"} if "get" in methods else set())
        assert set(allowed.headers["allow"].split(", ")) == expected, path
    assert client.options("/no/such/route").status_code == 404


def test_head_is_conditional_too(client: TestClient) -> None:
    etag = client.head(PATHS[0]).headers["etag"]
    unchanged = client.head(PATHS[0], headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.headers["etag"]) == (304, etag)
    assert client.head(PATHS[0], headers={"If-None-Match": '"other"'}).status_code == 200


def test_what_nobody_sees_is_not_recorded(client: TestClient, person: Person, warehouse: Engine) -> None:
    def recorded() -> list[str]:
        with warehouse.connect() as conn:
            types = "SELECT event_type FROM user_event WHERE event_type LIKE '%view' ORDER BY event_type"
            return list(conn.scalars(text(types)))

    for path in (PATHS[0], "/api/user/info"):
        assert "x-impression-id" not in client.head(path, headers=person.headers).headers
    shown = client.get(PATHS[0], headers=person.headers)
    until(lambda: recorded() == ["kok_discounted_products_view"], "only what was shown is recorded")
    assert shown.headers["x-impression-id"]


def test_cors_allows_head(configured: pytest.MonkeyPatch, filled: Engine, start: Any) -> None:
    shop = {"Origin": "https://shop.example.com"}
    configured.setenv("UKOK_CORS_ORIGINS", shop["Origin"])
    client = start()
    preflight = client.options(PATHS[0], headers=shop | {"Access-Control-Request-Method": "HEAD"})
    assert (preflight.status_code, "HEAD" in preflight.headers["access-control-allow-methods"]) == (200, True)
    assert client.head(PATHS[0], headers=shop).headers["access-control-allow-origin"] == shop["Origin"]


BEACON_TYPES = ("text/plain;charset=UTF-8", "application/x-www-form-urlencoded; charset=utf-8", "TEXT/PLAIN", "")


@pytest.mark.parametrize("content_type", BEACON_TYPES)
def test_a_beacon_is_stored_as_anonymous(client: TestClient, warehouse: Engine, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    one = json.dumps({"action": "leave", "path": "/kok", "session_id": "s1"})
    stored = client.post(ACTIVITY, content=one, headers=headers)
    assert (stored.status_code, stored.json()["user_id"]) == (201, None)
    many = json.dumps({"events": [{"action": "leave"}, {"action": "leave"}]})
    client.cookies.set("ukok_session", "s2")
    assert client.post(f"{ACTIVITY}/batch", content=many, headers=headers).status_code == 201
    with warehouse.connect() as conn:
        query = "SELECT user_id, session_id FROM user_event WHERE event_type = 'user_activity_leave' ORDER BY 2"
        assert [tuple(row) for row in conn.execute(text(query))] == [(None, "s1"), (None, "s2"), (None, "s2")]


def test_a_beacon_is_never_a_users(client: TestClient, person: Person) -> None:
    headers = {"Content-Type": "text/plain;charset=UTF-8"}

    def send(path: str, **body: object) -> tuple[int, str]:
        answer = client.post(path, content=json.dumps(body), headers=headers)
        return answer.status_code, str(answer.json()["detail"])

    assert send(ACTIVITY, action="leave", session_id="s1", user_id=person.user_id)[0] == 401
    assert send(ACTIVITY, action="leave") == (401, "log in first, or give a session_id")
    assert send("/api/log/user/event", user_id=person.user_id, event_type="leave")[0] == 401
    assert send(ACTIVITY, label="without an action", session_id="s1")[0] == 422
    event = json.dumps({"user_id": person.user_id, "event_type": "leave"})
    refused = client.post("/api/log/user/event", content=event, headers=headers | person.headers)
    assert refused.status_code == 422, "what has a token is no beacon"


@pytest.mark.parametrize("body", ["action=leave&session_id=s1", "", "leave", "[]"])
def test_a_beacon_without_json_is_refused(client: TestClient, body: str) -> None:
    assert client.post(ACTIVITY, content=body, headers={"Content-Type": "text/plain"}).status_code == 422


def test_other_routes_take_no_beacon(client: TestClient) -> None:
    account = {"email": "someone@example.com", "password": "a right password", "username": "손님"}
    refused = client.post("/api/user/signup", content=json.dumps(account), headers={"Content-Type": "text/plain"})
    assert refused.status_code == 422
