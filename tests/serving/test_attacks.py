"""Malicious tokens, bodies, texts, ids and paths open and break nothing."""

import base64
import json
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.web.auth import Tokens
from sql.service.users import User
from tests.builders.api_process import served
from tests.builders.waiting import until
from tests.conftest import SECRET_KEY, embedded_only
from tests.serving.conftest import Now, Person, end_grace, log_in

INFO = "/api/user/info"
BODILESS = {
    "/api/user/logout",
    "/api/user/logout/all",
    "/api/user/logins/1",
    "/api/user/email/verification",
    "/api/kok/search/history/1",
}
PATHS = (
    "/api/user/../user/info",
    "/api/user/%2e%2e/user/info",
    "/api/user/..%2finfo",
    "/api/user%2Finfo",
    "/api/user%252Finfo",
    "//api/user/info",
    "/api//user/info",
    "/api/user//info",
    "/api/user/info/",
    "/api/user/./info",
    "/api/user/info%00",
    "/api/user/info%00.json",
    "/api/user/info%0d%0aSet-Cookie:%20evil=1",
    "/api/user/info;admin=1",
    "/api/user/INFO",
    "/api/user/",
    "/api/kok/product/..%2f..%2fuser%2finfo/info",
    "/api/kok/product/%00/info",
    "/api/kok/discounted?size=1%0d%0aSet-Cookie:%20evil=1",
    "/api/recipes/..%2f..%2f..%2fetc%2fpasswd/product-recommend",
    "/docs/../../../../etc/passwd",
    "/..%5c..%5cetc%5cpasswd",
    "/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "/%ff%fe",
    "/" + "a/" * 5_000,
)
HEADERS = (
    b"Authorization: Bearer a\r\n evil: folded",
    b"Authorization: Bearer \x00\x01",
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: Bearer " + b"a" * 60_000,
    b"Authorization: " + b"Bearer " * 1_000,
    b"X-Request-ID: a%0d%0aevil: 1",
    b"X-Request-ID: a\revil: 1",
    b"X-Request-ID: " + b"evil" * 1_000,
    b"evil\r\n: 1",
    b"Content-Length: -1",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
)
HOUR = timedelta(hours=1)


def status(client: TestClient, token: str, path: str = INFO) -> int:
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def token_of(person: Person) -> str:
    return person.headers["Authorization"].removeprefix("Bearer ")


def encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def writes() -> list[tuple[str, str]]:
    """Return every route that writes, with an id in its path."""
    paths = create_app().openapi()["paths"]
    return [
        (method.upper(), re.sub(r"{[^}]*}", "1", path))
        for path, operations in paths.items()
        for method in sorted(operations.keys() & {"post", "delete", "put", "patch"})
    ]


def raw(url: str, head: bytes) -> tuple[int, bytes, bytes]:
    """Send a request that no client library would send; returns status, headers and body."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=20) as connection:
        connection.sendall(head + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    headers, _, body = answer.partition(b"\r\n\r\n")
    return int(headers.split()[1]), headers, body


def test_our_own_token_opens(client: TestClient, person: Person, now: Now) -> None:
    assert status(client, token_of(person)) == 200
    assert status(client, Tokens(SECRET_KEY, HOUR, now).issue(person.user_id)) == 200


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


def test_expired_token_is_refused_although_it_was_verified(client: TestClient, person: Person, now: Now) -> None:
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
        {"sub": str(2**63), "exp": late},
        {"sub": "1", "exp": 10**30},
        {"sub": "1", "exp": late, "sid": "'; DROP TABLE login_session"},
        {"sub": "1", "exp": late, "sid": 7},
    ]
    for claims in wrong:
        token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET_KEY))
        assert status(client, token) == 401, claims


def test_malformed_token_is_refused_or_anonymous(client: TestClient) -> None:
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
    until(lambda: status(elsewhere, token_of(person)) == 401, "the other process refuses the token")


def test_a_token_that_was_logged_out_is_refused_after_a_restart(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    client.post("/api/user/logout", headers=person.headers)
    assert status(start(), token_of(person)) == 401


def test_bodies_beyond_two_megabytes_are_refused(client: TestClient, person: Person) -> None:
    body = json.dumps({"action": "x", "extra_data": {"a": "x" * 2**21}})
    headers = person.headers | {"content-type": "application/json"}
    announced = client.post("/api/log/user/activity", content=body, headers=headers)
    pieces = (body[n : n + 65536].encode() for n in range(0, len(body), 65536))
    for answer in (announced, client.post("/api/log/user/activity", content=pieces, headers=headers)):
        assert (answer.status_code, answer.json()) == (413, {"detail": "the body is larger than 2 MB"})


def test_large_body_is_ignored_where_none_is_read(client: TestClient, person: Person) -> None:
    answer = client.request("POST", "/api/user/logout", content=b"x" * (2**21 + 1), headers=person.headers)
    assert answer.status_code == 413
    assert status(client, token_of(person)) == 200


def test_a_refresh_token_that_was_stolen_ends_the_login(client: TestClient, person: Person, service: Engine) -> None:
    login = client.post("/api/user/login", json={"email": person.email, "password": person.password}).json()
    stolen = {"refresh_token": login["refresh_token"]}
    thief = client.post("/api/auth/refresh", json=stolen).json()
    end_grace(service)
    assert client.post("/api/auth/refresh", json=stolen).status_code == 401
    for token in (login["access_token"], thief["access_token"]):
        assert status(client, token) == 401
    assert client.post("/api/auth/refresh", json={"refresh_token": thief["refresh_token"]}).status_code == 401


def test_ten_megabytes_are_refused_by_every_route_with_a_body(client: TestClient, person: Person) -> None:
    body = b'{"keyword": "' + b"x" * 10 * 2**20 + b'"}'
    for method, path in writes():
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            headers = person.headers | {"content-type": kind}
            assert client.request(method, path, content=body, headers=headers).status_code == 413, path
            if path in BODILESS:
                continue  # it reads no body, so that the size of a chunked one is unknown
            pieces = (body[n : n + 2**16] for n in range(0, len(body), 2**16))
            assert client.request(method, path, content=pieces, headers=headers).status_code == 413, path


def test_deeply_nested_json_is_refused_by_every_route_with_a_body(client: TestClient, person: Person) -> None:
    depth = 100_000
    for body in ("[" * depth, "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        for method, path in writes():
            if path in BODILESS:
                continue
            for content in (body, '{"keyword": ' + body + ', "action": "x", "extra_data": ' + body + "}"):
                headers = person.headers | {"content-type": "application/json"}
                answer = client.request(method, path, content=content, headers=headers)
                assert answer.status_code in {413, 422}, path
                assert len(answer.content) < 2**16, "nor is it sent back"


def test_sql_in_the_fields_of_an_account_is_text(client: TestClient, service: Engine) -> None:
    word = "'; DROP TABLE user_account; -- \" OR 1=1 \\' %s %(x)s :x"
    account = {"email": "visitor@example.com", "password": word, "username": word}
    password_is_name = client.post("/api/user/signup", json=account)
    assert password_is_name.status_code == 422
    assert client.post("/api/user/signup", json=account | {"password": word + "!"}).json()["username"] == word
    login = {"email": "visitor@example.com", "password": word + "!"}
    assert client.post("/api/user/login", json=login).status_code == 200
    for email in (word, "visitor@example.com' OR '1'='1", "x' OR 1=1 --@example.com"):
        assert client.post("/api/user/login", json=login | {"email": email}).status_code == 401
    for token in (word, "' OR used_at IS NULL --"):
        assert client.post("/api/auth/refresh", json={"refresh_token": token}).status_code == 401
    with service.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(User)) == 1


def test_a_login_does_not_tell_who_has_an_account(client: TestClient, person: Person) -> None:
    """That it takes the same work is tested with accounts."""
    wrong, unknown = (
        client.post("/api/user/login", json={"email": email, "password": "a wrong one"})
        for email in (person.email, "nobody@example.com")
    )
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    own = {"date", "content-length", "x-request-id"}
    assert {k: v for k, v in wrong.headers.items() if k not in own} == {
        k: v for k, v in unknown.headers.items() if k not in own
    }


def test_numbers_too_large_for_the_database_are_refused_in_bodies(client: TestClient, person: Person) -> None:
    for number in (2**63, 10**30, -(2**63) - 1):
        event = {"user_id": number, "event_type": "x"}
        assert client.post("/api/log/user/event", json=event, headers=person.headers).status_code in {403, 422}
        activity = {"action": "x", "user_id": number}
        assert client.post("/api/log/user/activity", json=activity, headers=person.headers).status_code in {403, 422}
        rating = client.post("/api/recipes/9001/rating", json={"rating": number}, headers=person.headers)
        assert rating.status_code == 422
        history = {"homeshopping_history_id": number}
        path = "/api/homeshopping/search/history"
        assert client.request("DELETE", path, json=history, headers=person.headers).status_code in {404, 422}
        path = f"/api/kok/search/history/{number}"
        assert client.delete(path, headers=person.headers).status_code in {404, 422}


@embedded_only
def test_malicious_paths_and_headers_open_and_break_nothing(stack_env: dict[str, str], tmp_path: Path) -> None:
    with served("serving.gateway.main", stack_env, tmp_path / "server.log") as server:
        for path in PATHS:
            code, headers, body = raw(server.url, f"GET {path} HTTP/1.1\r\nHost: ukok".encode())
            assert 300 <= code < 500, path
            assert b"root:" not in body
            assert b"set-cookie" not in headers.lower()
        for header in HEADERS:
            code, headers, _ = raw(server.url, b"GET /api/user/info HTTP/1.1\r\nHost: ukok\r\n" + header)
            assert 400 <= code < 500, header
            assert b"evil" not in headers.lower()
    # A line break in a path or header starts no new log line.
    lines = (tmp_path / "server.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines[next(at for at, line in enumerate(lines) if '"request"' in line) :]]
    requests = [line for line in logged if line["event"] == "request"]
    assert len(requests) >= len(PATHS)
    assert not {line["route"] for line in requests} & set(PATHS), "routes, not what was typed"


def test_values_out_of_range_are_refused(client: TestClient) -> None:
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


def test_malformed_request_id_is_replaced(client: TestClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    replaced = client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert replaced.headers["x-request-id"] != "a b\tc"
