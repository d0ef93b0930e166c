"""What is kept of accounts for some time only is deleted by the batch, also of users who do not come back."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, event, insert, select

from artifacts.store import Store
from pipelines.logs import erase as step
from pipelines.logs.erase import erase_users
from sql.service.attempts import KNOWN_FOR, LoginPlace
from sql.service.revocation import CLOCK_SKEW
from sql.service.users import ErasedUser, LoginSession, RefreshToken, User
from tests.builders.small_catalog import NOON

SECOND = timedelta(seconds=1)
OLD = NOON - KNOWN_FOR
OVER = NOON - CLOCK_SKEW


def add_user(conn: Connection, user_id: int) -> None:
    row = {"email": f"u{user_id}@example.com", "username": "손님", "password_hash": "", "created_at": OLD}
    conn.execute(insert(User).values(row | {"user_id": user_id}))


def add_login(conn: Connection, name: str, user_id: int | None, access_until: object, expires_at: object) -> None:
    row = {"session_id": name, "user_id": user_id, "started_at": OLD, "access_until": access_until}
    conn.execute(insert(LoginSession).values(row | {"device": "Chrome, Windows", "last_used_at": OLD}))
    row = {"token_sha256": name, "session_id": name, "issued_at": OLD, "expires_at": expires_at}
    conn.execute(insert(RefreshToken).values(row))


def add_place(conn: Connection, name: str, user_id: int, seen_at: object) -> None:
    row = {"user_id": user_id, "place_sha256": name, "kind": "browser", "seen_at": seen_at}
    conn.execute(insert(LoginPlace).values(row))


def test_expired_logins_and_places_are_deleted(service: Engine, warehouse: Engine, store: Store) -> None:
    with service.begin() as conn:
        for user_id in (7, 8):
            add_user(conn, user_id)
            add_login(conn, f"over {user_id}", user_id, OVER, NOON)
            add_place(conn, "old", user_id, OLD)
        add_login(conn, "clocks may differ", 7, OVER + SECOND, NOON)
        add_login(conn, "extendable", 8, OVER, NOON + SECOND)
        add_place(conn, "known", 7, OLD + SECOND)
    assert erase_users(service, warehouse, store, now=NOON).details["service"] == 7
    with service.connect() as conn:
        assert sorted(conn.scalars(select(LoginSession.session_id))) == ["clocks may differ", "extendable"]
        assert conn.scalars(select(RefreshToken.token_sha256)).all() == ["extendable"]
        assert conn.scalars(select(LoginPlace.place_sha256)).all() == ["known"]
        assert len(conn.scalars(select(User.user_id)).all()) == 2
    assert erase_users(service, warehouse, store, now=NOON).written == 0, "again changes nothing"


def test_nothing_is_deleted_while_the_revocation_counter_is_held(
    service: Engine, warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "ACCOUNTS_AT_ONCE", 1)
    with service.begin() as conn:
        conn.execute(insert(ErasedUser).values(user_id=6, erased_at=OLD))
        add_login(conn, "late", 6, NOON, NOON)
        add_login(conn, "nobody's", None, OVER, NOON)
        for user_id in (7, 8):
            add_user(conn, user_id)
            add_login(conn, f"over {user_id}", user_id, OVER, NOON)
    transactions: list[list[str]] = []
    event.listen(service, "begin", lambda _: transactions.append([]))
    event.listen(
        service,
        "before_cursor_execute",
        lambda _, __, statement, *___: transactions[-1].append(statement.replace("`", "")),
    )
    assert erase_users(service, warehouse, store, now=NOON).details["service"] == 7
    counted = [one for one in transactions if any("login_revision" in each for each in one)]
    assert len(counted) == 1
    since = next(place for place, each in enumerate(counted[0]) if "login_revision" in each)
    assert not [each for each in counted[0][since:] if each.startswith("DELETE")]
    locking = [one for one in transactions if any("FOR UPDATE" in each for each in one)]
    assert len(locking) == 2, "a transaction for each account"
