"""What owners do with their accounts: new password, list and end of logins, deletion by password."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from serving.runtime.accounts import lock_account
from serving.user import queries
from serving.user.devices import device_label
from serving.user.passwords import hash_password
from sql.service.users import LoginSession
from sql.warehouse.events import UserEvent
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person, leave, log_in, sign_up
from tests.serving.user.test_delete_user import waits_for_a_lock

NEW = "another password"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


def change(client: TestClient, person: Person, current: str, new: str = NEW) -> Any:
    body = {"current_password": current, "new_password": new}
    return client.post("/api/user/password", json=body, headers=person.headers)


def status(client: TestClient, headers: dict[str, str]) -> int:
    return client.get("/api/user/info", headers=headers).status_code


def logins(client: TestClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get("/api/user/logins", headers=headers)
    assert answer.status_code == 200
    return list(answer.json()["logins"])


def test_a_new_password_ends_all_other_logins(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere, other = start(), log_in(client, person.email, person.password)
    assert status(elsewhere, other) == 200
    assert change(client, person, person.password).status_code == 200
    assert (status(client, person.headers), status(client, other)) == (200, 401)
    until(lambda: status(elsewhere, other) == 401, "the other process refuses the token")
    old = {"email": person.email, "password": person.password}
    assert client.post("/api/user/login", json=old).status_code == 401
    assert status(client, log_in(client, person.email, NEW)) == 200


@embedded_only
def test_a_wrong_current_password_changes_nothing(client: TestClient, person: Person) -> None:
    other = log_in(client, person.email, person.password)
    refused = change(client, person, "wrong")
    assert (refused.status_code, refused.json()) == (403, {"detail": "wrong password"})
    assert "www-authenticate" not in refused.headers
    for weak in ("    ", "abc", person.email, "손님"):
        answer = change(client, person, person.password, weak)
        assert answer.status_code == 422, weak
        assert answer.json()["detail"][0]["loc"] == ["body", "new_password"]
        assert answer.json()["detail"][0]["input"] is None
    assert status(client, other) == 200
    assert log_in(client, person.email, person.password)


@embedded_only
def test_confirmations_count_as_attempts_to_log_in(client: TestClient, person: Person) -> None:
    codes = [leave(client, replace(person, password="wrong")).status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]
    assert change(client, person, person.password).status_code == 429


def test_a_login_with_the_old_password_fails_after_a_change(
    client: TestClient, person: Person, service: Engine
) -> None:
    """The password was right when it was checked, and another one when the login was to begin."""
    old = {"email": person.email, "password": person.password}
    with ThreadPoolExecutor(1) as pool:
        with service.begin() as conn:
            assert lock_account(conn, person.user_id)
            answer = pool.submit(client.post, "/api/user/login", json=old)
            until(lambda: answer.done() or waits_for_a_lock(service), "it came to the account")
            queries.set_password_hash(conn, person.user_id, hash_password(NEW))
        assert answer.result().status_code == 401
    assert len(logins(client, person.headers)) == 1


@embedded_only
def test_logins_are_listed_with_device_and_use(client: TestClient, person: Person, now: Now) -> None:
    sign_up(client)
    now.forward(minutes=10)
    body = {"email": person.email, "password": person.password}
    login = client.post("/api/user/login", json=body, headers={"User-Agent": CHROME}).json()
    now.forward(minutes=20)
    client.post("/api/auth/refresh", json={"refresh_token": login["refresh_token"]})
    shown = [{name: login[name] for name in login if name != "login_id"} for login in logins(client, person.headers)]
    assert shown == [
        {
            "started_at": "2025-08-06T12:10:00",
            "last_used_at": "2025-08-06T12:30:00",
            "device": "Chrome, Windows",
            "is_current": False,
        },
        {
            "started_at": "2025-08-06T12:00:00",
            "last_used_at": "2025-08-06T12:00:00",
            "device": None,
            "is_current": True,
        },
    ]


def test_logins_that_are_over_are_not_listed(client: TestClient, person: Person, now: Now) -> None:
    ended = log_in(client, person.email, person.password)
    assert len(logins(client, person.headers)) == 2
    client.post("/api/user/logout", headers=ended)
    assert len(logins(client, person.headers)) == 1
    now.forward(days=14)
    fresh = log_in(client, person.email, person.password)
    assert [login["is_current"] for login in logins(client, fresh)] == [True]


def test_one_login_is_ended_by_its_owner_alone(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere, stranger = start(), sign_up(client)
    other = log_in(client, person.email, person.password)
    (login,) = (login for login in logins(client, person.headers) if not login["is_current"])
    path = f"/api/user/logins/{login['login_id']}"
    assert client.delete(path, headers=stranger.headers).status_code == 404
    assert status(client, other) == 200
    assert client.delete(path, headers=person.headers).status_code == 200
    assert (status(client, other), status(client, person.headers)) == (401, 200)
    until(lambda: status(elsewhere, other) == 401, "the other process refuses the token")
    assert client.delete(path, headers=person.headers).status_code == 404
    assert client.delete("/api/user/logins/a", headers=person.headers).status_code == 422


def test_a_logout_everywhere_ends_every_login(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere, stranger = start(), sign_up(client)
    everywhere = [person.headers, *(log_in(client, person.email, person.password) for _ in range(3))]
    assert client.post("/api/user/logout/all", headers=everywhere[1]).status_code == 200
    assert [status(client, headers) for headers in everywhere] == [401] * 4
    until(lambda: {status(elsewhere, headers) for headers in everywhere} == {401}, "the other process refuses all")
    assert status(client, stranger.headers) == 200
    assert status(client, log_in(client, person.email, person.password)) == 200


@embedded_only
def test_a_deletion_needs_the_password(client: TestClient, person: Person) -> None:
    missing = client.request("DELETE", "/api/user", headers=person.headers)
    assert (missing.status_code, missing.json()["detail"][0]["loc"]) == (422, ["body"])
    wrong = leave(client, replace(person, password="wrong"))
    assert (wrong.status_code, wrong.json()) == (403, {"detail": "wrong password"})
    nobody = client.request("DELETE", "/api/user", json={"password": person.password})
    assert nobody.status_code == 401
    assert status(client, person.headers) == 200
    assert leave(client, person).status_code == 200
    assert status(client, person.headers) == 401


@embedded_only
def test_a_deleted_login_keeps_no_device(client: TestClient, person: Person, service: Engine) -> None:
    body = {"email": person.email, "password": person.password}
    client.post("/api/user/login", json=body, headers={"User-Agent": CHROME})
    assert leave(client, person).status_code == 200
    with service.connect() as conn:
        kept = conn.execute(select(LoginSession.user_id, LoginSession.device, LoginSession.last_used_at)).all()
    assert set(map(tuple, kept)) == {(None, None, None)}


@embedded_only
def test_actions_on_an_account_are_recorded(client: TestClient, person: Person, warehouse: Engine) -> None:
    assert change(client, person, person.password).status_code == 200
    other = log_in(client, person.email, NEW)
    (entry,) = (login for login in logins(client, person.headers) if not login["is_current"])
    client.delete(f"/api/user/logins/{entry['login_id']}", headers=person.headers)
    assert status(client, other) == 401
    client.get("/api/user/export", headers=person.headers)
    client.post("/api/user/logout/all", headers=person.headers)

    def recorded() -> list[str]:
        query = select(UserEvent.event_type).where(UserEvent.event_type.not_in(["user_signup", "user_login"]))
        with warehouse.connect() as conn:
            return list(conn.scalars(query.order_by(UserEvent.event_id)))

    expected = ["password_change", "logins_view", "login_end", "data_export", "logout_all"]
    until(lambda: len(recorded()) == len(expected), "everything is stored")
    assert recorded() == [f"user_{name}" for name in expected]


USER_AGENTS = [
    (CHROME, "Chrome, Windows"),
    (f"{CHROME} Edg/140.0.0.0", "Edge, Windows"),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
        "Safari, iPhone",
    ),
    ("Mozilla/5.0 (Linux; Android 15; SM-S921N) SamsungBrowser/28.0 Chrome/130.0 Mobile", "Samsung Internet, Android"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Firefox/140.0", "Firefox, macOS"),
    ("curl/8.0", None),
    ("", None),
    (None, None),
    ("<script>" * 1000, None),
]


@pytest.mark.parametrize(("user_agent", "label"), USER_AGENTS)
def test_a_device_is_named_by_fixed_words_only(user_agent: str | None, label: str | None) -> None:
    assert device_label(user_agent) == label


def test_the_longest_label_of_a_device_fits_its_column() -> None:
    from serving.user.devices import BROWSERS, SYSTEMS

    longest = f"{max(BROWSERS.values(), key=len)}, {max(SYSTEMS.values(), key=len)}"
    assert len(longest) <= LoginSession.__table__.c.device.type.length  # type: ignore[attr-defined]
