"""Rate limit of wrong passwords per account and per address."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from serving.runtime import login_attempts
from serving.runtime.login_attempts import LoginAttempts
from serving.user.passwords import _hasher
from tests.serving.conftest import Person, log_in, sign_up

TEN, HUNDRED = 10, 100


def guess(client: TestClient, email: str, password: str = "wrong") -> Any:  # noqa: S107 - a wrong one
    return client.post("/api/user/login", data={"username": email, "password": password})


def refused(counted: LoginAttempts, account: str, host: str) -> bool:
    try:
        counted.begin(account, host)
    except HTTPException as error:
        return error.status_code == 429
    return False


def test_after_ten_wrong_passwords_the_right_one_is_refused(client: TestClient, person: Person) -> None:
    assert {guess(client, person.email).status_code for _ in range(TEN)} == {401}
    answer = guess(client, person.email, person.password)
    assert answer.status_code == 429
    assert "too many login attempts" in answer.json()["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert guess(client, person.email.upper()).status_code == 429, "one account, however it is written"
    assert log_in(client, sign_up(client).email, "a right password"), "another account is free"


def test_an_account_that_does_not_exist_is_refused_in_the_same_words(client: TestClient, person: Person) -> None:
    answers = [[guess(client, email) for _ in range(TEN + 1)][-1] for email in (person.email, "nobody@example.com")]
    assert {answer.status_code for answer in answers} == {429}
    assert len({"".join(filter(str.isalpha, answer.json()["detail"])) for answer in answers}) == 1
    assert len({frozenset(answer.headers) for answer in answers}) == 1


def test_a_guess_beyond_the_limit_costs_no_hash(
    client: TestClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def counted(password: str, stored: str) -> tuple[bool, str | None]:
        verified.append(password)
        return verify(password, stored)

    verify = _hasher.verify_and_update
    monkeypatch.setattr(_hasher, "verify_and_update", counted)
    codes = [guess(client, person.email, f"wrong {n}").status_code for n in range(TEN + 2)]
    assert codes == [401] * TEN + [429] * 2
    assert verified == [f"wrong {n}" for n in range(TEN)]


def test_attempts_without_an_account_count_per_host(client: TestClient) -> None:
    stranger, other = (TestClient(client.app, client=(host, 50_000)) for host in ("192.0.2.1", "192.0.2.2"))
    assert {guess(stranger, f"visitor{n}").status_code for n in range(TEN)} == {401}
    assert guess(stranger, "anything").status_code == 429
    assert guess(other, "visitor").status_code == 401
    assert guess(stranger, "nobody@example.com").status_code == 401, "an account is counted for itself"


def test_concurrent_guesses_are_limited_too(client: TestClient, person: Person) -> None:
    with ThreadPoolExecutor(16) as pool:
        codes = [a.status_code for a in pool.map(lambda _: guess(client, person.email), range(3 * TEN))]
    assert sorted(codes) == [401] * TEN + [429] * 2 * TEN


def test_right_password_resets_the_account(client: TestClient, person: Person) -> None:
    for _ in range(3):
        assert {guess(client, person.email).status_code for _ in range(TEN - 1)} == {401}
        assert guess(client, person.email, person.password).status_code == 200


def test_each_process_counts_for_itself(client: TestClient, person: Person, start: Any) -> None:
    assert [guess(client, person.email).status_code for _ in range(TEN + 1)][-1] == 429
    assert guess(start(), person.email).status_code == 401


def test_an_address_that_tries_many_accounts_is_refused() -> None:
    counted = LoginAttempts()
    assert not any(refused(counted, f"account {n}", "192.0.2.1") for n in range(HUNDRED))
    assert refused(counted, "one more", "192.0.2.1")
    assert not refused(counted, "one more", "192.0.2.2")


def test_logins_that_succeed_are_not_held_against_an_address() -> None:
    counted = LoginAttempts()
    for n in range(3 * HUNDRED):
        counted.begin(f"account {n}", "192.0.2.1")
        counted.succeed(f"account {n}", "192.0.2.1")
    assert not any(refused(counted, f"wrong {n}", "192.0.2.1") for n in range(HUNDRED))
    assert refused(counted, "one more", "192.0.2.1")


def test_all_addresses_of_an_ipv6_subscriber_are_one() -> None:
    counted = LoginAttempts()
    assert not any(refused(counted, f"account {n}", f"2001:db8::{n:x}") for n in range(HUNDRED))
    assert refused(counted, "one more", "2001:db8::ffff:1")
    assert not refused(counted, "one more", "2001:db8:0:1::1")


def test_after_five_minutes_attempts_are_allowed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=1_000.0)
    moved = SimpleNamespace(time=lambda: clock.now)
    monkeypatch.setattr("limits.storage.memory.time", moved)
    monkeypatch.setattr(login_attempts, "time", moved)
    counted = LoginAttempts()
    for _ in range(TEN):
        assert not refused(counted, "a", "192.0.2.1")
        clock.now += 10
    with pytest.raises(HTTPException) as caught:
        counted.begin("a", "192.0.2.1")
    assert caught.value.headers == {"Retry-After": "200"}
    clock.now += 201
    assert not refused(counted, "a", "192.0.2.1"), "the first of them is over"
    assert refused(counted, "a", "192.0.2.1"), "the others are not"


def test_counted_keys_are_bounded() -> None:
    counted = LoginAttempts(max_counted=50)
    for n in range(1_000):
        counted.begin(f"account {n}", f"10.0.{n // 250}.{n % 250}")
    assert counted.counted <= 52


def test_oldest_counted_keys_are_forgotten_first() -> None:
    counted = LoginAttempts(max_counted=50)
    for n in range(24):
        counted.begin(f"account {n}", f"10.0.0.{n}")
    for _ in range(TEN):
        counted.begin("the last", "192.0.2.1")
    for n in range(20):
        counted.begin(f"newcomer {n}", f"10.0.1.{n}")
    assert refused(counted, "the last", "192.0.2.1")
    assert not any(refused(counted, "account 0", f"10.0.2.{n}") for n in range(TEN)), "the first was forgotten"
