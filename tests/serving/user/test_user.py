"""Accounts: sign-up, login, logout."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from serving.user.emails import normalize
from serving.user.passwords import _hasher, hash_password
from serving.web.auth import Tokens
from sql.service.users import User
from tests.conftest import SECRET_KEY
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


def test_invalid_account_is_refused(client: TestClient) -> None:
    good = {"email": "good@example.com", "password": "secret word", "username": "손님"}
    changes = (
        {"email": "no address"},
        {"email": "a@b\0.com"},
        {"password": "abc"},
        {"password": "x" * 201},
        {"password": "nul\0nul"},
        {"password": "half \ud83c"},
        {"email": f"{'x' * 300}@example.com"},
        {"email": "visitor@example.com" * 100_000},
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


REFUSED_PASSWORDS = [
    ("    ", "must not be blank"),
    ("\u3000\u3000\t\n ", "must not be blank"),
    ("abc", "at least 4 characters"),
    ("x" * 201, "at most 200 characters"),
    ("good.visitor@example.com", "must not be the e-mail address"),
    (" GOOD.VISITOR@example.com ", "must not be the e-mail address"),
    ("Good.Visitor", "must not be the e-mail address or what stands before its @"),
    ("단골 손님", "must not be the user name"),
    ("ab\0cd", "cannot be stored"),
]


def test_a_password_that_anyone_would_try_is_refused_with_the_rule(client: TestClient) -> None:
    for password, said in REFUSED_PASSWORDS:
        account = {"email": "good.visitor@example.com", "password": password, "username": "단골 손님"}
        answer = client.post("/api/user/signup", json=account)
        assert answer.status_code == 422, password
        (problem,) = answer.json()["detail"]
        assert (problem["loc"], problem["input"]) == (["body", "password"], None)
        assert said in problem["msg"], password


def test_other_passwords_of_4_to_200_characters_are_accepted(client: TestClient) -> None:
    for n, password in enumerate(("1234", "a b ", "x" * 200, "비밀번호", "🍣🍺🍣🍺", "visitor@example.org")):
        email = f"visitor{n}@example.com"
        account = {"email": email, "password": password, "username": "단골"}
        assert client.post("/api/user/signup", json=account).status_code == 201, password
        assert log_in(client, email, password)
        login = {"email": email, "password": f"{password[:-1]}z"}
        assert client.post("/api/user/login", json=login).status_code == 401, password


def test_a_refused_secret_is_not_repeated_in_the_answer(client: TestClient) -> None:
    for secret in ("777", 777, 777.5, -777, [777], {"x": 777}, "7" * 201):
        account = {"email": "a@example.com", "password": secret, "username": "손님"}
        calls = [
            client.post("/api/user/signup", json=account),
            client.post("/api/user/login", json=account | {"email": 1}),
        ]
        if not isinstance(secret, str):
            calls.append(client.post("/api/auth/refresh", json={"refresh_token": secret}))
        for path in ("/api/user/signup", "/api/user/login", "/api/auth/refresh"):
            calls.append(client.post(path, json=secret))
            calls.append(client.post(path, content=json.dumps(account), headers={"content-type": "text/plain"}))
        for answer in calls:
            assert answer.status_code == 422
            assert "777" not in answer.text, answer.request.url


def test_other_invalid_values_are_echoed(client: TestClient) -> None:
    account = {"email": "no address", "password": "abcd", "username": 7}
    problems = client.post("/api/user/signup", json=account).json()["detail"]
    assert [(problem["loc"], problem["input"]) for problem in problems] == [
        (["body", "email"], "no address"),
        (["body", "username"], 7),
    ]


def test_tokens_and_personal_data_are_for_no_cache(client: TestClient, person: Person) -> None:
    login = client.post("/api/user/login", json={"email": person.email, "password": person.password})
    answers = [
        login,
        client.post("/api/auth/refresh", json={"refresh_token": login.json()["refresh_token"]}),
        client.get("/api/user/info", headers=person.headers),
    ]
    assert [(answer.status_code, answer.headers["cache-control"]) for answer in answers] == [(200, "no-store")] * 3


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


def test_login_takes_json_as_well(client: TestClient, person: Person) -> None:
    answer = client.post("/api/user/login", json={"email": person.email, "password": person.password})
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/api/user/info", headers=headers).json()["user_id"] == person.user_id
    wrong = client.post("/api/user/login", json={"email": person.email, "password": "wrong"})
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "wrong e-mail address or password"})


NO_LOGINS = [
    ("application/x-www-form-urlencoded", ""),
    ("application/x-www-form-urlencoded", "username=a@example.com"),
    ("application/x-www-form-urlencoded", "password=abcd"),
    ("application/x-www-form-urlencoded", "username=a@example.com&password=" + "x" * 201),
    ("application/x-www-form-urlencoded", "username=" + "x" * 321 + "&password=abcd"),
    ("application/x-www-form-urlencoded", "a&" * 500_000),
    ("application/json", ""),
    ("application/json", "{"),
    ("application/json", "[]"),
    ("application/json", "null"),
    ("application/json", '{"username": "a@example.com", "password": "abcd"}'),
    ("application/json", '{"email": 1, "password": "abcd"}'),
    ("application/json", '{"email": "a@example.com", "password": null}'),
    ("application/json", '{"email": "a@example.com", "password": "half \\ud83c"}'),
    ("application/json", '{"email": "a@example.com", "password": "nul\\u0000"}'),
    ("multipart/form-data; boundary=x", "--x--"),
    ("text/plain", "username=a@example.com&password=abcd"),
    ("", '{"email": "a@example.com", "password": "abcd"}'),
]


def test_a_login_that_is_neither_is_invalid(client: TestClient) -> None:
    for kind, content in NO_LOGINS:
        answer = client.post("/api/user/login", content=content, headers={"content-type": kind})
        assert answer.status_code == 422, content[:100]
        for problem in answer.json()["detail"]:
            assert problem.keys() == {"type", "loc", "msg", "input"}
            assert problem["loc"][0] in {"body", "header"}


def test_both_kinds_of_login_are_documented(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operation = paths["/api/user/login"]["post"]
    body = operation["requestBody"]["content"]
    assert body.keys() == {"application/json", "application/x-www-form-urlencoded"}
    assert body["application/json"]["schema"]["required"] == ["email", "password"]
    assert body["application/x-www-form-urlencoded"]["schema"]["required"] == ["username", "password"]
    assert operation["responses"].keys() == {"200", "401", "413", "422", "429", "503"}
    assert paths["/api/user/signup"]["post"]["responses"].keys() == {"201", "409", "413", "422", "429", "503"}
    assert paths["/api/auth/refresh"]["post"]["responses"].keys() == {"200", "401", "413", "422", "503"}
    assert paths["/api/user"]["delete"]["responses"].keys() == {"200", "401", "403", "413", "422", "429", "503"}


MAILBOXES = [
    ("New.Visitor@Example.COM", "new.visitor@example.com", "new.visitor@example.com"),
    ("ｎｅｗ＠example.com", "new@example.com", "NEW@EXAMPLE.COM"),
    ("new@bücher.de", "new@bücher.de", "new@xn--bcher-kva.de"),
    ("other@XN--BCHER-KVA.DE", "other@bücher.de", "other@BÜCHER.de"),
    ("caf\u0065\u0301@example.com", "caf\u00e9@example.com", "caf\u00c9@example.com"),
    ("\u212aim@example.com", "kim@example.com", "kim@example.com"),
    ("o\ufb03ce@example.com", "office@example.com", "office@example.com"),
    ("\u0130x@example.com", "i\u0307x@example.com", "\u0130X@example.com"),
    (" last@example。com ", "last@example.com", "last@example.com"),
]


def test_a_mailbox_is_one_account_however_it_is_written(client: TestClient) -> None:
    for typed, stored, again in MAILBOXES:
        account = {"email": typed, "password": "a right password", "username": "손님"}
        assert client.post("/api/user/signup", json=account).json()["email"] == stored
        for way in (typed, stored, again):
            assert client.post("/api/user/signup", json=account | {"email": way}).status_code == 409, way
            check = client.get("/api/user/signup/email/check", params={"email": way}).json()
            assert (check["email"], check["is_duplicate"]) == (stored, True), way
            assert log_in(client, way, "a right password"), way
            login = {"email": way, "password": "a right password"}
            assert client.post("/api/user/login", json=login).status_code == 200, way


NO_ADDRESSES = [
    "visitor@example.com.",
    "visitor.@example.com",
    "visi\u200btor@example.com",
    "visitor@exam\u200dple.com",
    "visi\u00adtor@example.com",
    "\u202evisitor@example.com",
    "visitor@example.com\nbcc: all@example.com",
    "visitor@example.com\0",
    "visitor <visitor@example.com>",
    '"visi tor"@example.com',
    "visitor@[127.0.0.1]",
    "visitor@localhost",
    "visitor@-example.com",
    "@example.com",
    "visitor",
]


def test_tricks_with_an_address_are_refused(client: TestClient) -> None:
    for email in NO_ADDRESSES:
        account = {"email": email, "password": "a right password", "username": "손님"}
        assert client.post("/api/user/signup", json=account).status_code == 422, email
        assert client.get("/api/user/signup/email/check", params={"email": email}).status_code == 422, email
    for email in NO_ADDRESSES[:10]:
        login = {"email": email, "password": "a right password"}
        assert client.post("/api/user/login", json=login).status_code == 401, email


def test_letters_that_only_look_alike_are_another_mailbox(client: TestClient) -> None:
    for email in ("paypal@example.com", "p\u0430ypal@example.com"):
        account = {"email": email, "password": email[::-1], "username": "손님"}
        assert client.post("/api/user/signup", json=account).status_code == 201
        assert log_in(client, email, email[::-1])
    login = {"email": "paypal@example.com", "password": "p\u0430ypal@example.com"[::-1]}
    assert client.post("/api/user/login", json=login).status_code == 401


@given(local=st.text(min_size=1, max_size=20), domain=st.sampled_from(["example.com", "Bücher.de", "xn--bcher-kva.de"]))
def test_an_address_in_its_normal_form_stays_as_it_is(local: str, domain: str) -> None:
    try:
        once = normalize(f"{local}@{domain}")
    except ValueError:
        return
    assert normalize(once) == once
    assert len(once) <= 320


@given(
    user_id=st.integers(0, 2**63 - 1),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    session=st.uuids(),
)
def test_the_payload_of_a_token_is_plain_base64_whoever_it_is_of(user_id: int, moment: datetime, session: UUID) -> None:
    token = Tokens(SECRET_KEY, timedelta(minutes=60), lambda: moment).issue(user_id, session.hex)
    payload = token.split(".")[1]
    assert re.fullmatch(r"[A-Za-z0-9+/]+", payload)
    claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)).decode("ascii"))
    assert (claims["sub"], claims["sid"]) == (str(user_id), session.hex)
    assert claims["exp"] == int((moment + timedelta(minutes=60)).timestamp())


def test_whether_an_account_exists_costs_the_same_work(
    client: TestClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = _hasher.verify_and_update

    def counted(password: str, stored: str) -> tuple[bool, str | None]:
        verified.append(stored.rsplit("$", 2)[0])
        return verify(password, stored)

    monkeypatch.setattr(_hasher, "verify_and_update", counted)
    for email in (person.email, "nobody@example.com", "nobody"):
        form, login = {"username": email, "password": "wrong"}, {"email": email, "password": "wrong"}
        assert client.post("/api/user/login", data=form).status_code == 401
        assert client.post("/api/user/login", json=login).status_code == 401
    assert verified == [hash_password("x").rsplit("$", 2)[0]] * 6, "once each, with the same parameters"


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
