"""Two tabs that refresh at the same instant keep their login; a later use of a refresh token still ends it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update
from starlette.testclient import TestClient

from serving.user import sessions
from serving.user.sessions import GRACE, Lifetimes, Opened, Refused
from serving.web.auth import Tokens
from serving.web.settings import DEVELOPMENT_SECRET
from sql.service.users import LoginSession, RefreshToken, User
from tests.builders.small_catalog import NOON
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person, end_grace, leave
from tests.serving.user.test_refresh_tokens import login, opens, refresh

LIFETIMES = Lifetimes(timedelta(hours=1), timedelta(days=14), timedelta(days=90))
TABS, ROUNDS = 2, 200


def renew(engine: Engine, token: str) -> Opened | Refused:
    """Refresh as the route does."""
    successor = Tokens(DEVELOPMENT_SECRET, LIFETIMES.access, lambda: NOON).successor(token)
    with engine.begin() as conn:
        return sessions.renew(conn, token, successor, NOON, LIFETIMES)


def new_user(conn: Connection) -> int:
    row = {"email": "a@example.com", "username": "손님", "password_hash": "", "created_at": NOON}
    return conn.execute(insert(User).values(row).returning(User.user_id)).scalar_one()


def count(service: Engine, *conditions: Any) -> int:
    with service.connect() as conn:
        return conn.scalar(select(func.count()).select_from(RefreshToken).where(*conditions)) or 0


def test_two_refreshes_at_once_keep_the_login_200_times(service: Engine) -> None:
    with service.begin() as conn:
        opened = sessions.open_session(conn, new_user(conn), NOON, LIFETIMES)
    token, together = opened.refresh_token, Barrier(TABS)

    def use(_: int) -> Opened | Refused:
        together.wait()
        return renew(service, token)

    kept = 0
    with ThreadPoolExecutor(TABS) as pool:
        for _ in range(ROUNDS):
            answers = list(pool.map(use, range(TABS)))
            successors = {answer.refresh_token for answer in answers if isinstance(answer, Opened)}
            assert len(successors) == 1, answers
            (token,) = successors
            kept += all(isinstance(answer, Opened) for answer in answers)
    assert kept == ROUNDS
    assert count(service) == ROUNDS + 1, "a token and one successor of each"


def test_tabs_of_two_processes_get_one_login(
    client: TestClient, person: Person, start: Callable[[], TestClient], service: Engine
) -> None:
    elsewhere, first = start(), login(client, person)
    answers = [refresh(process, first["refresh_token"]).json() for process in (client, elsewhere)]
    assert answers[0]["refresh_token"] == answers[1]["refresh_token"]
    assert all(opens(process, tokens) for tokens in answers for process in (client, elsewhere))
    assert refresh(client, answers[0]["refresh_token"]).status_code == 200


@embedded_only
def test_a_hundred_uses_in_the_grace_add_one_token(client: TestClient, person: Person, service: Engine) -> None:
    first = login(client, person)
    before = count(service)
    answers = [refresh(client, first["refresh_token"]) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert count(service) == before + 1


def test_the_grace_is_measured_by_the_clock_of_the_database(
    client: TestClient, person: Person, now: Now, service: Engine
) -> None:
    token = login(client, person)["refresh_token"]
    assert refresh(client, token).status_code == 200
    now.forward(minutes=-2)
    assert refresh(client, token).status_code == 200, "a process whose clock is slow"
    now.forward(minutes=4)
    assert refresh(client, token).status_code == 200, "and one whose clock is fast"
    with service.begin() as conn:
        used = conn.scalar(select(RefreshToken.used_at).where(RefreshToken.used_at.is_not(None)))
        assert used is not None
        almost = update(RefreshToken).where(RefreshToken.used_at.is_not(None))
        conn.execute(almost.values(used_at=used - GRACE + timedelta(seconds=15)))
    assert refresh(client, token).status_code == 200, "half of it is over"
    end_grace(service)
    assert refresh(client, token).status_code == 401


def test_a_token_whose_successor_was_used_ends_the_login(client: TestClient, person: Person) -> None:
    first = login(client, person)["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    third = refresh(client, second).json()
    old = refresh(client, first)
    assert (old.status_code, "used before" in old.json()["detail"]) == (401, True)
    assert not opens(client, third)
    assert refresh(client, third["refresh_token"]).status_code == 401


def test_nothing_that_ended_a_login_leaves_it_a_grace(client: TestClient, person: Person) -> None:
    def log_out(headers: dict[str, str]) -> Any:
        return client.post("/api/user/logout", headers=headers)

    def change_password(_: dict[str, str]) -> Any:
        body = {"current_password": person.password, "new_password": person.password}
        return client.post("/api/user/password", json=body, headers=person.headers)

    def log_out_everywhere(_: dict[str, str]) -> Any:
        return client.post("/api/user/logout/all", headers=person.headers)

    for end in (log_out, change_password, log_out_everywhere):
        first = login(client, person)
        second = refresh(client, first["refresh_token"]).json()
        assert end({"Authorization": f"Bearer {second['access_token']}"}).status_code == 200
        for token in (first, second):
            assert refresh(client, token["refresh_token"]).status_code == 401, end.__name__


@embedded_only
def test_a_deleted_account_has_no_grace(client: TestClient, person: Person) -> None:
    first = login(client, person)["refresh_token"]
    assert refresh(client, first).status_code == 200
    assert leave(client, person).status_code == 200
    assert refresh(client, first).status_code == 401


def test_a_successor_is_not_known_without_the_key() -> None:
    keys = (DEVELOPMENT_SECRET, DEVELOPMENT_SECRET[::-1])
    successors = {Tokens(key, LIFETIMES.access, lambda: NOON).successor(token) for key in keys for token in "ab"}
    assert len(successors) == 4
    assert all(len(successor) == 43 for successor in successors), "256 bits"


@embedded_only
def test_a_login_ends_however_often_it_was_extended(client: TestClient, person: Person, now: Now) -> None:
    tokens = login(client, person)
    for _ in range(6):
        now.forward(days=13)
        tokens = refresh(client, tokens["refresh_token"]).json()
    now.forward(days=11, hours=23, minutes=30)
    tokens = refresh(client, tokens["refresh_token"]).json()
    assert tokens["expires_in"] == 1800, "the access token ends with the login"
    assert opens(client, tokens)
    now.forward(minutes=30)
    assert not opens(client, tokens)
    answer = refresh(client, tokens["refresh_token"])
    assert (answer.status_code, answer.json()["detail"]) == (401, "the refresh token has expired: log in")
    assert opens(client, login(client, person))


@embedded_only
def test_an_extension_by_a_slow_clock_shortens_no_login(
    client: TestClient, person: Person, now: Now, service: Engine
) -> None:
    tokens = login(client, person)
    now.forward(hours=-1)
    assert refresh(client, tokens["refresh_token"]).status_code == 200
    with service.connect() as conn:
        assert NOON + timedelta(hours=1) in conn.scalars(select(LoginSession.access_until)).all()


def test_tokens_from_before_a_shorter_limit_are_refused(service: Engine) -> None:
    with service.begin() as conn:
        opened = sessions.open_session(conn, new_user(conn), NOON, LIFETIMES)
        shorter, later = replace(LIFETIMES, login=timedelta(days=2)), NOON + timedelta(days=2)
        answer = sessions.renew(conn, opened.refresh_token, "successor", later, shorter)
    assert answer == Refused("this login began 2 days ago: log in")
