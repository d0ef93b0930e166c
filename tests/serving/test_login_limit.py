"""Guessing passwords is slowed down, for accounts that exist and for those that do not."""

from starlette.testclient import TestClient

from tests.serving.conftest import Person, log_in, sign_up


def guess(client: TestClient, email: str) -> int:
    return client.post("/api/user/login", data={"username": email, "password": "a wrong guess"}).status_code


def test_an_account_takes_ten_wrong_passwords_and_then_none(client: TestClient, person: Person) -> None:
    assert [guess(client, person.email) for _ in range(12)] == [401] * 10 + [429] * 2
    right = client.post("/api/user/login", data={"username": person.email, "password": person.password})
    assert right.status_code == 429, "the right password is not looked at either, or guessing would go on"
    assert int(right.headers["retry-after"]) > 0
    other = sign_up(client)
    assert log_in(client, other.email, other.password)


def test_an_account_that_does_not_exist_is_limited_alike(client: TestClient) -> None:
    assert [guess(client, "nobody@example.com") for _ in range(12)] == [401] * 10 + [429] * 2


def test_the_right_password_wipes_the_wrong_ones(client: TestClient, person: Person) -> None:
    for _ in range(3):
        assert [guess(client, person.email) for _ in range(9)] == [401] * 9
        assert log_in(client, person.email, person.password)
