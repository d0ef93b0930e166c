"""Refresh tokens: good for one use, and a second use ends the login."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.testclient import TestClient

from tests.serving.conftest import Now, Person, eventually

REFRESH = "/api/auth/refresh"
INFO = "/api/user/info"


def log_in(client: TestClient, person: Person) -> dict[str, str]:
    """By JSON, as the specification of the frontend says."""
    answer = client.post("/api/user/login", json={"email": person.email, "password": person.password})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def opens(client: TestClient, login: dict[str, str]) -> bool:
    status = client.get(INFO, headers={"Authorization": f"Bearer {login['access_token']}"}).status_code
    assert status in {200, 401}
    return status == 200


def test_a_refresh_gives_tokens_that_open_and_its_successor_works(client: TestClient, person: Person) -> None:
    login = log_in(client, person)
    for _ in range(3):
        answer = client.post(REFRESH, json={"refresh_token": login["refresh_token"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["refresh_token"] != login["refresh_token"]
        login = answer.json()
        assert opens(client, login)


def test_a_refresh_token_that_comes_again_ends_the_login_and_all_of_its_tokens(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    other, stolen = log_in(client, person), log_in(client, person)
    renewed = client.post(REFRESH, json={"refresh_token": stolen["refresh_token"]}).json()
    elsewhere = start()
    assert opens(elsewhere, renewed)
    again = client.post(REFRESH, json={"refresh_token": stolen["refresh_token"]})
    assert again.status_code == 401
    assert not opens(client, stolen)
    assert not opens(client, renewed)
    assert client.post(REFRESH, json={"refresh_token": renewed["refresh_token"]}).status_code == 401
    eventually(lambda: not opens(elsewhere, renewed), "the other process refuses the tokens too")
    assert opens(client, other), "another login of the same person goes on"


def test_of_refreshes_at_the_same_moment_one_wins(client: TestClient, person: Person) -> None:
    login = log_in(client, person)
    with ThreadPoolExecutor(8) as pool:
        body = {"refresh_token": login["refresh_token"]}
        answers = [answer.result() for answer in [pool.submit(client.post, REFRESH, json=body) for _ in range(8)]]
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_what_is_no_refresh_token_is_refused(client: TestClient, person: Person, now: Now) -> None:
    login = log_in(client, person)
    for token in ("garbage", "x" * 200, login["access_token"][:100]):
        assert client.post(REFRESH, json={"refresh_token": token}).status_code in {401, 422}, token
    assert client.post(REFRESH, json={}).status_code == 422
    now.forward(days=15)
    assert client.post(REFRESH, json={"refresh_token": login["refresh_token"]}).status_code == 401


def test_a_logout_ends_the_refresh_token_too(client: TestClient, person: Person) -> None:
    login = log_in(client, person)
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    assert client.post("/api/user/logout", headers=headers).status_code == 200
    assert client.post(REFRESH, json={"refresh_token": login["refresh_token"]}).status_code == 401
