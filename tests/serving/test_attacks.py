"""Tokens that must not open anything."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.testclient import TestClient

from serving.common.auth import Tokens
from serving.common.settings import DEVELOPMENT_SECRET
from tests.serving.conftest import Now, Person, eventually, log_in

INFO = "/api/user/info"
HOUR = timedelta(hours=1)


def status(client: TestClient, token: str, path: str = INFO) -> int:
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def token_of(person: Person) -> str:
    return person.headers["Authorization"].removeprefix("Bearer ")


def encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_our_own_token_opens(client: TestClient, person: Person, now: Now) -> None:
    assert status(client, token_of(person)) == 200
    assert status(client, Tokens(DEVELOPMENT_SECRET, HOUR, now).issue(person.user_id)) == 200


def test_another_algorithm_is_refused(client: TestClient, person: Person, now: Now) -> None:
    claims = {"sub": str(person.user_id), "exp": int(now().timestamp()) + 60}
    for algorithm in ("none", "None", "NONE", "HS384", "RS256", ""):
        for signature in ("", token_of(person).split(".")[2]):
            token = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}.{signature}"
            assert status(client, token) == 401, algorithm


def test_a_foreign_key_is_refused(client: TestClient, person: Person, now: Now) -> None:
    assert status(client, Tokens("another key of thirty-two letters!", HOUR, now).issue(person.user_id)) == 401


def test_a_tampered_payload_is_refused(client: TestClient, person: Person) -> None:
    header, payload, signature = token_of(person).split(".")
    claims = json.loads(base64.b64decode(payload + "=="))
    assert status(client, f"{header}.{encoded(claims | {'sub': str(person.user_id + 1)})}.{signature}") == 401
    assert status(client, f"{header}.{payload}.{signature[:-2]}AA") == 401


def test_an_expired_token_is_refused_also_when_it_was_verified_before(
    client: TestClient, person: Person, now: Now
) -> None:
    assert status(client, token_of(person)) == 200
    now.forward(minutes=59)
    assert status(client, token_of(person)) == 200
    now.forward(minutes=1)
    assert status(client, token_of(person)) == 401


def test_a_signed_token_of_the_wrong_claims_is_refused(client: TestClient) -> None:
    late = 9_999_999_999
    wrong: list[dict[str, object]] = [
        {"sub": "1"},
        {"exp": late},
        {"sub": 1, "exp": late},
        {"sub": "1 OR 1=1", "exp": late},
        {"sub": "-1", "exp": late},
        {"sub": "1", "exp": str(late)},
        {"sub": "1", "exp": True},
        {"sub": "9" * 30, "exp": late},
    ]
    for claims in wrong:
        token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(DEVELOPMENT_SECRET))
        assert status(client, token) == 401, claims


def test_what_is_no_token_is_refused_and_anonymous_elsewhere(client: TestClient) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b", "Bearer " + "a" * 9000):
        assert client.get(INFO, headers={"Authorization": header}).status_code == 401, header
        assert client.get("/api/kok/discounted", headers={"Authorization": header}).status_code == 200, header


def test_a_token_that_was_logged_out_is_refused_at_once(client: TestClient, person: Person) -> None:
    other = log_in(client, person.email, person.password)
    assert client.post("/api/user/logout", headers=person.headers).status_code == 200
    assert status(client, token_of(person)) == 401
    assert client.post("/api/user/logout", headers=person.headers).status_code == 401
    assert client.get(INFO, headers=other).status_code == 200, "only this token, not the account"


def test_a_token_that_was_logged_out_elsewhere_is_refused_soon(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere = start()
    assert status(elsewhere, token_of(person)) == 200
    client.post("/api/user/logout", headers=person.headers)
    eventually(lambda: status(elsewhere, token_of(person)) == 401, "the other process refuses the token")


def test_a_token_that_was_logged_out_is_refused_after_a_restart(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    client.post("/api/user/logout", headers=person.headers)
    assert status(start(), token_of(person)) == 401


def test_bodies_beyond_two_megabytes_are_refused(client: TestClient, person: Person) -> None:
    body = json.dumps({"action": "x", "extra_data": {"a": "x" * 2**21}})
    headers = person.headers | {"content-type": "application/json"}
    assert client.post("/api/log/user/activity", content=body, headers=headers).status_code == 413
    pieces = (body[n : n + 65536].encode() for n in range(0, len(body), 65536))
    assert client.post("/api/log/user/activity", content=pieces, headers=headers).status_code == 413


def test_values_out_of_range_are_refused_not_passed_on(client: TestClient) -> None:
    for path in (
        "/api/kok/product/99999999999999999999/info",
        "/api/kok/product/-1/info",
        "/api/kok/product/1'%20OR%201=1/info",
        "/api/homeshopping/product/99999999999999999999",
        "/api/kok/search?keyword=%00",
        "/api/kok/search?keyword=" + "x" * 300,
        "/api/homeshopping/schedule?live_date=2025-02-30",
    ):
        assert client.get(path).status_code in {404, 422}, path


def test_sql_in_a_keyword_is_a_keyword(client: TestClient, person: Person) -> None:
    keyword = "'; DROP TABLE user_account; --"
    assert client.post("/api/kok/search/history", json={"keyword": keyword}, headers=person.headers).status_code == 200
    history = client.get("/api/kok/search/history", headers=person.headers).json()["history"]
    assert [row["kok_keyword"] for row in history] == [keyword]


def test_a_request_id_that_is_no_word_is_replaced(client: TestClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    replaced = client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert replaced.headers["x-request-id"] != "a b\tc"
