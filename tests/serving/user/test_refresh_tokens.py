"""Refresh tokens: each can be used once, and the login ends when one is used again later."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from serving.web.auth import Tokens
from sql.service.users import LoginSession, RefreshToken
from tests.builders.waiting import until
from tests.conftest import SECRET_KEY
from tests.serving.conftest import Now, Person, end_grace, sign_up
from tests.serving.gate import Gate


def login(client: TestClient, person: Person) -> dict[str, Any]:
    answer = client.post("/api/user/login", json={"email": person.email, "password": person.password})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refresh(client: TestClient, token: str) -> Any:
    return client.post("/api/auth/refresh", json={"refresh_token": token})


def token_of(person: Person) -> dict[str, Any]:
    return {"access_token": person.headers["Authorization"].removeprefix("Bearer ")}


def opens(client: TestClient, tokens: dict[str, Any]) -> bool:
    return info(client, tokens["access_token"]) == 200


def info(client: TestClient, token: str) -> int:
    return client.get("/api/user/info", headers={"Authorization": f"Bearer {token}"}).status_code


def test_login_returns_a_refresh_token_and_expires_in(client: TestClient, person: Person) -> None:
    tokens = login(client, person)
    assert tokens.keys() == {"access_token", "token_type", "refresh_token", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 3600)


def test_a_refresh_token_gives_new_tokens_and_its_successor(client: TestClient, person: Person, now: Now) -> None:
    first = login(client, person)
    now.forward(hours=2)
    assert not opens(client, first)
    second = refresh(client, first["refresh_token"]).json()
    assert second.keys() == first.keys()
    assert opens(client, second)
    now.forward(days=13)
    assert opens(client, refresh(client, second["refresh_token"]).json()), "each lasts as long again"


def test_a_refresh_token_used_twice_ends_the_whole_login(
    client: TestClient, person: Person, start: Callable[[], TestClient], service: Engine
) -> None:
    elsewhere, other = start(), login(client, person)
    first = login(client, person)
    second = refresh(client, first["refresh_token"]).json()
    third = refresh(client, second["refresh_token"]).json()
    assert opens(elsewhere, third)
    end_grace(service)
    again = refresh(client, first["refresh_token"])
    assert again.status_code == 401
    assert "used before" in again.json()["detail"]
    assert not any(opens(client, tokens) for tokens in (first, second, third)), "at once here"
    assert refresh(client, third["refresh_token"]).status_code == 401
    until(lambda: not opens(elsewhere, third), "the other process refuses the access token")
    assert opens(client, other), "another login of the same account goes on"
    assert refresh(client, other["refresh_token"]).status_code == 200


def test_ended_login_keeps_its_first_end(client: TestClient, person: Person, now: Now, service: Engine) -> None:
    first = login(client, person)["refresh_token"]
    assert refresh(client, first).status_code == 200
    end_grace(service)
    ended = now()
    for _ in range(2):
        assert refresh(client, first).status_code == 401
        now.forward(minutes=5)
    with service.connect() as conn:
        query = select(LoginSession.revoked_at).where(LoginSession.revoked_at.is_not(None))
        assert conn.scalars(query).all() == [ended]


@pytest.mark.parametrize(
    ("token", "said"), [("", "unknown"), ("garbage", "unknown"), ("감자", "unknown"), ("a" * 512, "unknown")]
)
def test_unknown_refresh_token_is_refused(client: TestClient, token: str, said: str) -> None:
    answer = refresh(client, token)
    assert answer.status_code == 401
    assert said in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"refresh_token": 1}', '{"refresh_token": "\\ud83c"}'])
def test_a_refresh_without_a_token_is_invalid(client: TestClient, content: str) -> None:
    answer = client.post("/api/auth/refresh", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0].keys() == {"type", "loc", "msg", "input"}


def test_an_expired_refresh_token_is_refused(client: TestClient, person: Person, now: Now) -> None:
    token = login(client, person)["refresh_token"]
    now.forward(days=14)
    answer = refresh(client, token)
    assert (answer.status_code, answer.json()) == (401, {"detail": "the refresh token has expired: log in"})


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(client: TestClient, person: Person) -> None:
    tokens = login(client, person)
    assert refresh(client, tokens["access_token"]).status_code in {401, 422}
    assert info(client, tokens["refresh_token"]) == 401


def test_a_logout_ends_access_and_refresh_token(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere, first = start(), login(client, person)
    second = refresh(client, first["refresh_token"]).json()
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.post("/api/user/logout", headers=headers).status_code == 200
    assert not opens(client, second)
    assert not opens(client, first), "the older access token of the same login"
    for process in (client, elsewhere):
        assert refresh(process, second["refresh_token"]).status_code == 401
    until(lambda: not opens(elsewhere, second), "the other process refuses the access token")
    assert opens(start(), login(client, person))


def test_only_hashes_of_refresh_tokens_are_stored(client: TestClient, person: Person, service: Engine) -> None:
    token = login(client, person)["refresh_token"]
    assert len(token) >= 43, "256 bits"
    with service.connect() as conn:
        rows = [str(row) for row in conn.execute(select(RefreshToken))]
    assert not any(token in row for row in rows)
    assert any(hashlib.sha256(token.encode()).hexdigest() in row for row in rows)


def test_a_token_that_names_no_login_is_logged_out_as_well(
    client: TestClient, person: Person, now: Now, start: Callable[[], TestClient]
) -> None:
    exp = int((now() + timedelta(hours=5)).timestamp())
    key = OctKey.import_key(SECRET_KEY)
    without = jwt.encode({"alg": "HS256"}, {"sub": str(person.user_id), "exp": exp}, key)
    own = Tokens(SECRET_KEY, timedelta(hours=5), now).issue(person.user_id)
    elsewhere = start()
    for token in (without, own):
        assert info(client, token) == info(elsewhere, token) == 200
        assert client.post("/api/user/logout", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert info(client, token) == 401
        until(lambda token=token: info(elsewhere, token) == 401, "the other process refuses it")  # type: ignore[misc]
    now.forward(hours=4)
    assert info(start(), without) == 401, "for as long as it would have been valid"


def test_an_ended_login_is_remembered_while_its_tokens_are_valid(
    client: TestClient, person: Person, now: Now, service: Engine
) -> None:
    tokens = login(client, person)
    now.forward(minutes=30)
    tokens = refresh(client, tokens["refresh_token"]).json()
    client.post("/api/user/logout", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    with service.connect() as conn:
        until = conn.scalar(select(LoginSession.access_until).where(LoginSession.revoked_at.is_not(None)))
    assert until == now() + timedelta(hours=1) == datetime(2025, 8, 6, 4, 30, tzinfo=UTC)


def test_expired_logins_are_deleted(client: TestClient, person: Person, now: Now, service: Engine) -> None:
    def kept() -> tuple[set[str], set[str]]:
        with service.connect() as conn:
            logins = set(conn.scalars(select(LoginSession.session_id).where(LoginSession.user_id == person.user_id)))
            tokens = set(conn.scalars(select(RefreshToken.session_id).where(RefreshToken.session_id.in_(logins))))
        return logins, tokens

    now.forward(days=8)
    middle = login(client, person)
    assert len(kept()[0]) == 2, "the first login can still be prolonged"
    now.forward(days=8)
    login(client, person)
    logins, tokens = kept()
    assert len(logins) == 2
    assert logins == tokens
    latest = refresh(client, middle["refresh_token"]).json()
    assert opens(client, latest), "what is still good was not touched"
    now.forward(days=13)
    latest = refresh(client, latest["refresh_token"]).json()
    assert kept() == (logins, logins)
    now.forward(days=2)
    assert opens(client, refresh(client, latest["refresh_token"]).json())
    assert len(kept()[0]) == 1, "the login of day 16 is gone"


def test_logout_without_the_database_is_refused_and_can_be_repeated(
    filled: Engine,
    gate: Callable[[str], Gate],
    start: Callable[[], TestClient],
    configured: pytest.MonkeyPatch,
) -> None:
    # So rarely that the logout happens before the loss is noticed.
    configured.setenv("UKOK_POLL_SECONDS", "3")
    door = gate("service")
    client = start()
    person = sign_up(client)
    door.shut()
    answer = client.post("/api/user/logout", headers=person.headers)
    assert (answer.status_code, answer.json()) == (503, {"detail": "the database does not answer"})
    assert int(answer.headers["retry-after"]) > 0
    door.open()
    until(lambda: opens(client, token_of(person)), "the login goes on")
    assert client.post("/api/user/logout", headers=person.headers).status_code == 200
    assert not opens(client, token_of(person))


def test_process_that_misses_logouts_answers_503_then_401(
    client: TestClient,
    person: Person,
    gate: Callable[[str], Gate],
    start: Callable[[], TestClient],
    configured: pytest.MonkeyPatch,
) -> None:
    configured.setattr("serving.web.auth.STALE_AFTER_SECONDS", 0.5)
    door = gate("service")
    elsewhere = start()

    def cached_page() -> int:
        return elsewhere.get("/api/recipes/9001", headers=person.headers).status_code

    assert cached_page() == cached_page() == 200
    door.shut()
    until(lambda: cached_page() == 503, "the loss is noticed")
    assert client.post("/api/user/logout", headers=person.headers).status_code == 200
    assert cached_page() == 503
    door.open()
    codes: list[int] = []

    def reported() -> bool:
        codes.append(cached_page())
        return codes[-1] != 503

    until(reported, "the other process can tell again")
    assert codes[-1] == 401
