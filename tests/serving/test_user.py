"""Accounts: signing up, logging in and out."""

import base64
import json
import re
from datetime import datetime

from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from serving.common.passwords import _hasher
from sql.service.users import User
from tests.serving.conftest import Now, Person, log_in, sign_up


def test_signing_up_gives_the_account(client: TestClient) -> None:
    answer = client.post(
        "/api/user/signup", json={"email": "New@Example.com", "password": "abcd", "username": "새 손님 🍣"}
    )
    assert answer.status_code == 201
    account = answer.json()
    assert account["email"] == "new@example.com"
    assert account["username"] == "새 손님 🍣"
    assert datetime.fromisoformat(account["created_at"]) == datetime(2025, 8, 6, 12, 0)  # noqa: DTZ001 - naive, in KST


def test_the_same_address_in_other_case_is_the_same_account(client: TestClient, person: Person) -> None:
    again = client.post(
        "/api/user/signup", json={"email": person.email.upper(), "password": "abcd", "username": "둘째"}
    )
    assert again.status_code == 409
    assert client.get("/api/user/signup/email/check", params={"email": person.email.upper()}).json()["is_duplicate"]
    assert log_in(client, person.email.upper(), person.password)


def test_what_cannot_be_an_account_is_refused(client: TestClient) -> None:
    good = {"email": "good@example.com", "password": "secret word", "username": "손님"}
    changes = (
        {"email": "no address"},
        {"email": "a@b\0.com"},
        {"password": "abc"},
        {"password": "x" * 201},
        {"username": " "},
        {"username": "x" * 101},
        {"username": "nul\0"},
        {"username": "half \ud83c"},
    )
    for change in changes:
        content = json.dumps(good | change)
        answer = client.post("/api/user/signup", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 422, change
        assert "secret word" not in answer.text


def test_a_refused_password_is_not_repeated_in_the_answer(client: TestClient) -> None:
    answer = client.post("/api/user/signup", json={"email": "a@example.com", "password": "q7x", "username": "손님"})
    assert answer.status_code == 422
    assert "q7x" not in answer.text


def test_the_token_is_readable_by_plain_base64(client: TestClient, person: Person, now: Now) -> None:
    token = person.headers["Authorization"].removeprefix("Bearer ")
    header, payload, signature = token.split(".")
    assert header
    assert signature
    assert re.fullmatch(r"[A-Za-z0-9]+", payload), "no - and no _, which atob() does not know"
    claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == str(person.user_id)
    assert claims["exp"] == int(now().timestamp()) + 3600
    assert claims.keys() == {"sub", "exp", "iat", "jti", "sid"}


def test_login_takes_the_form_that_the_frontend_sends(client: TestClient, person: Person) -> None:
    form = {"grant_type": "password", "username": person.email, "password": person.password}
    form |= {"scope": "", "client_id": "", "client_secret": ""}
    answer = client.post("/api/user/login", data=form)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "refresh_token", "expires_in"}
    assert answer.json()["token_type"] == "bearer"


def test_an_unknown_user_answers_as_a_wrong_password_does(client: TestClient, person: Person) -> None:
    wrong = client.post("/api/user/login", data={"username": person.email, "password": "wrong"})
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "wrong e-mail address or password"})
    for username in ("nobody@example.com", " ", "nul\0@example.com", "x" * 300):
        unknown = client.post("/api/user/login", data={"username": username, "password": "wrong"})
        assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json()), username


def test_a_login_renews_a_hash_of_weaker_parameters(client: TestClient, person: Person, service: Engine) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    weak = Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1).hash(person.password)
    with service.begin() as conn:
        conn.execute(update(User).where(User.user_id == person.user_id).values(password_hash=weak))
    assert log_in(client, person.email, person.password)
    with service.connect() as conn:
        stored = conn.scalar(select(User.password_hash).where(User.user_id == person.user_id))
    assert stored is not None
    assert stored != weak
    assert _hasher.current_hasher.check_needs_rehash(stored) is False
    assert stored.startswith("$argon2id$")


def test_info_shows_the_account_of_the_token(client: TestClient, person: Person) -> None:
    other = sign_up(client)
    assert client.get("/api/user/info", headers=person.headers).json()["email"] == person.email
    assert client.get("/api/user/info", headers=other.headers).json()["email"] == other.email


def test_info_without_a_token_is_not_public(client: TestClient) -> None:
    assert client.get("/api/user/info").status_code == 401
