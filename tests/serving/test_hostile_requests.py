"""More attacks on the API; docs/security.md lists all of them, each with its test."""

import gzip
import json
import socket
from base64 import b64decode
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from sql.service.users import RecipeRating, User
from sql.warehouse.events import UserEvent
from tests.conftest import embedded_only
from tests.serving.conftest import Person, sign_up

INFO, SIGN_UP, HISTORY = "/api/user/info", "/api/user/signup", "/api/kok/search/history"
SCRIPT = "<script>alert(1)</script>"

pytestmark = embedded_only


def token_of(person: Person) -> str:
    return person.headers["Authorization"].removeprefix("Bearer ")


def test_a_token_in_the_query_or_body_opens_nothing(client: TestClient, person: Person) -> None:
    token = token_of(person)
    for name in ("access_token", "token", "authorization", "Authorization", "jwt"):
        assert client.get(INFO, params={name: token}).status_code == 401, name
    form = client.post("/api/user/logout", data={"access_token": token})
    assert (form.status_code, client.get(INFO, headers=person.headers).status_code) == (401, 200)


def test_no_cookie_is_a_login(client: TestClient, person: Person) -> None:
    """Requests of other sites carry cookies, and no header Authorization."""
    assert client.cookies["ukok_device"], "the browser has logged in"
    for name in ("ukok_device", "access_token", "session", "Authorization"):
        client.cookies.set(name, f"Bearer {token_of(person)}")
    for method, path in (("GET", INFO), ("DELETE", "/api/user"), ("POST", "/api/user/logout"), ("GET", HISTORY)):
        assert client.request(method, path).status_code == 401, path


def test_a_form_of_another_site_changes_nothing(client: TestClient, person: Person) -> None:
    """A browser sends these content types to other sites without asking first."""
    body = json.dumps({"keyword": "감자"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = person.headers | {"Content-Type": kind, "Origin": "https://evil.example.com"}
        answer = client.post(HISTORY, content=body, headers=headers)
        assert answer.status_code == 422, kind
    assert client.get(HISTORY, headers=person.headers).json()["history"] == []


def test_a_login_gets_a_session_of_its_own(client: TestClient, person: Person) -> None:
    """Neither a session nor a device that somebody has chosen before becomes that of the login."""
    planted = {"X-Session-ID": "planted", "Cookie": "ukok_session=planted"}
    form = {"username": person.email, "password": person.password, "session_id": "0" * 32, "sid": "0" * 32}
    answer = client.post("/api/user/login", data=form, headers=planted)
    claims = json.loads(b64decode(answer.json()["access_token"].split(".")[1] + "=="))
    assert claims["sid"] not in {"planted", "0" * 32}
    assert "planted" not in answer.headers["set-cookie"]


def test_each_login_ends_alone(client: TestClient, person: Person) -> None:
    form = {"username": person.email, "password": person.password}
    first, second = (client.post("/api/user/login", data=form).json() for _ in range(2))
    assert first["refresh_token"] != second["refresh_token"]
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    client.post("/api/user/logout", headers=headers)
    assert client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    assert client.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]}).status_code == 200


def test_nobody_reads_or_deletes_the_history_of_another(client: TestClient, person: Person) -> None:
    other = sign_up(client)
    client.post(HISTORY, json={"keyword": "비밀"}, headers=other.headers)
    (row,) = client.get(HISTORY, headers=other.headers).json()["history"]
    number = row["kok_history_id"]
    assert client.get(HISTORY, headers=person.headers).json()["history"] == []
    assert client.delete(f"{HISTORY}/{number}", headers=person.headers).status_code == 404
    assert client.get(HISTORY, params={"user_id": other.user_id}, headers=person.headers).json()["history"] == []
    assert len(client.get(HISTORY, headers=other.headers).json()["history"]) == 1


def test_fields_that_nobody_asks_for_are_not_stored(client: TestClient, service: Engine) -> None:
    account = {"email": "one@example.com", "password": "a right password", "username": "손님"}
    more = {"user_id": 1_000_001, "is_admin": True, "password_hash": "x", "created_at": "2000-01-01T00:00:00"}
    made = client.post(SIGN_UP, json=account | more).json()
    assert made["user_id"] != 1_000_001
    with service.connect() as conn:
        row = conn.execute(select(User.user_id, User.password_hash, User.created_at)).one()
    assert row.user_id == made["user_id"]
    assert row.password_hash.startswith("$argon2id$")
    assert row.created_at.year == 2025


def test_a_header_does_not_change_the_method_or_path(client: TestClient, person: Person) -> None:
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        client.get("/api/kok/discounted", headers=person.headers | {name: "DELETE"})
    for name in ("X-Original-URL", "X-Rewrite-URL"):
        answer = client.get("/healthz", headers={name: "/metrics"})
        assert answer.json() == {"status": "ok"}
    assert client.get(INFO, headers=person.headers).status_code == 200


def test_a_parameter_that_is_given_twice_is_validated(client: TestClient) -> None:
    assert client.get("/api/kok/discounted?size=1&size=100000").status_code == 422
    assert client.get("/api/kok/discounted?size=100000&size=1").status_code == 200, "the last one counts"


def test_markup_is_answered_as_json_that_no_browser_renders(client: TestClient, person: Person) -> None:
    for path in (f"/api/kok/search?keyword={SCRIPT}", f"/api/recommend/complete?ingredient={SCRIPT}", f"/{SCRIPT}"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
    client.post(HISTORY, json={"keyword": SCRIPT}, headers=person.headers)
    stored = client.get(HISTORY, headers=person.headers)
    assert (stored.headers["content-type"], SCRIPT in stored.text) == ("application/json", True)


@pytest.mark.parametrize("text", ["{0.__class__.__init__.__globals__}", "{{7*7}}", "${jndi:ldap://x}", "%s%n", "`id`"])
def test_templates_and_commands_in_a_text_are_text(client: TestClient, person: Person, text: str) -> None:
    client.post(HISTORY, json={"keyword": text}, headers=person.headers)
    (row,) = client.get(HISTORY, headers=person.headers).json()["history"]
    assert row["kok_keyword"] == text
    assert client.get("/api/recommend/search", params={"keyword": text}).status_code == 200


def test_addresses_in_an_event_are_not_called(client: TestClient, person: Person, warehouse: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        url = f"http://127.0.0.1:{inside.getsockname()[1]}/latest/meta-data"
        body = {"user_id": person.user_id, "event_type": "x", "api_url": url, "event_data": {"image": url}}
        assert client.post("/api/log/user/event", json=body, headers=person.headers).status_code == 201
        inside.setblocking(False)
        with pytest.raises(BlockingIOError):
            inside.accept()
    with warehouse.connect() as conn:
        assert conn.scalar(select(UserEvent.path).where(UserEvent.event_type == "x")) == url


def test_other_content_types_are_not_parsed(client: TestClient) -> None:
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    bodies: list[tuple[str, str | bytes]] = [
        ("application/xml", entity),
        ("text/xml", entity),
        ("application/x-yaml", "!!python/object/apply:os.system ['id']"),
        ("application/octet-stream", b"\x80\x04\x95"),
    ]
    for kind, body in bodies:
        for path in (SIGN_UP, "/api/user/login", "/api/log/user/activity"):
            answer = client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 422, (kind, path)
            assert "root:" not in answer.text


def test_a_packed_body_is_not_unpacked(client: TestClient) -> None:
    packed = gzip.compress(json.dumps({"email": "a@example.com", "x": "0" * 10**7}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post(SIGN_UP, content=packed, headers=headers).status_code == 422


def test_files_outside_the_documentation_are_not_served(client: TestClient) -> None:
    for path in ("../openapi.py", "%2e%2e/%2e%2e/settings.py", "..%2f..%2f.env", "/etc/passwd", "....//....//.env"):
        answer = client.get(f"/docs/assets/{path}")
        assert answer.status_code == 404, path
    for path in ("/.env", "/.git/config", "/var/artifacts", "/server-status", "/admin", "/actuator/env"):
        assert client.get(path).status_code == 404, path


def test_many_ratings_of_a_user_are_one(client: TestClient, person: Person, service: Engine) -> None:
    for rating in (5, 5, 5, 1):
        body = {"rating": rating}
        assert client.post("/api/recipes/9001/rating", json=body, headers=person.headers).status_code == 200
    for rating in (-1, 6, 10**6):
        body = {"rating": rating}
        assert client.post("/api/recipes/9001/rating", json=body, headers=person.headers).status_code == 422
    with service.connect() as conn:
        assert conn.execute(select(RecipeRating.rating)).scalars().all() == [1]


def test_answers_are_bounded_whatever_is_asked_for(client: TestClient, person: Person) -> None:
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("/api/kok/discounted", {"size": 10**6}),
        ("/api/kok/discounted", {"page": 10**12}),
        ("/api/recommend/search", {"keyword": "감자", "k": 10**6}),
        ("/api/recommend/complete", {"ingredient": ["감자"] * 51}),
        ("/api/kok/carts/recipe-recommend", {"product_ids": "1," * 2_000}),
    ]
    for path, query in wanted:
        assert client.get(path, params=query, headers=person.headers).status_code == 422, path


def test_secrets_are_in_no_description_of_the_api(client: TestClient) -> None:
    described = client.get("/openapi.json").text
    for word in ("UKOK_", "password_hash", "postgres", "mysql", "/tmp", "127.0.0.1"):
        assert word not in described, word
