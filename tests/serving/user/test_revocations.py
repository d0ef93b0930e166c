"""Ended logins are refused by every process, whatever the clocks say and however late a transaction commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, insert, select, update
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.web.auth import Identity, Revocations
from sql.engines import service_engine
from sql.service.revocation import CLOCK_SKEW, revoke
from sql.service.users import LoginRevision, LoginSession
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import Stack
from tests.serving.conftest import Person, leave, sign_up
from tests.serving.gate import gated_url
from tests.serving.user.test_delete_user import waits_for_a_lock

HOUR = timedelta(hours=1)
SKEWS = (timedelta(), timedelta(minutes=2), HOUR, -HOUR)


def add_login(service: Engine, name: str, access_until: datetime = NOON + HOUR) -> Identity:
    """Store a login that goes on."""
    session_id = name * 32
    row = {"session_id": session_id, "started_at": NOON, "access_until": access_until}
    with service.begin() as conn:
        conn.execute(insert(LoginSession).values(row))
    return Identity(1, access_until.timestamp(), session_id)


def end_login(service: Engine, identity: Identity, now: datetime = NOON) -> None:
    with service.begin() as conn:
        assert revoke(conn, LoginSession.session_id == identity.session_id, now)


def test_an_end_is_seen_whatever_the_clocks_say(service: Engine) -> None:
    processes = [Revocations(service, lambda skew=skew: NOON + skew) for skew in SKEWS]  # type: ignore[misc]
    for name, skew in zip("abcd", SKEWS, strict=True):
        identity = add_login(service, name)
        end_login(service, identity, NOON + skew)
        for process in (*processes, Revocations(service, lambda: NOON + HOUR)):
            process.refresh()
            assert identity in process, f"ended by a clock off by {skew}"


@pytest.mark.parametrize("way", ["logout", "deletion"])
def test_processes_of_other_clocks_refuse_an_ended_login(
    client: TestClient, start: Callable[[], TestClient], way: str
) -> None:
    ahead = TestClient(create_app(clock=lambda: NOON + timedelta(minutes=2)))
    behind = TestClient(create_app(clock=lambda: NOON - HOUR))
    with ahead, behind:
        processes = (client, ahead, behind)
        for ending in processes:
            person = sign_up(client)
            answers = [process.get("/api/user/info", headers=person.headers).status_code for process in processes]
            assert answers == [200] * 3
            logout = ending.post("/api/user/logout", headers=person.headers) if way == "logout" else None
            assert (logout or leave(ending, person)).status_code == 200
            for process in processes:
                until(
                    lambda process=process, person=person: refuses(process, person),  # type: ignore[misc]
                    "the process refuses the token",
                    seconds=5,
                )


def refuses(process: TestClient, person: Person) -> bool:
    return process.get("/api/user/info", headers=person.headers).status_code == 401


def test_an_end_that_commits_late_is_not_missed(service: Engine) -> None:
    first, second = add_login(service, "a"), add_login(service, "b")
    revocations = Revocations(service, lambda: NOON)
    with ThreadPoolExecutor(1) as pool:
        with service.begin() as conn:
            revoke(conn, LoginSession.session_id == first.session_id, NOON)
            other = pool.submit(end_login, service, second)
            until(lambda: other.done() or waits_for_a_lock(service), "the second one came to the counter")
            assert not other.done(), "numbers are taken in the order of commits"
            revocations.refresh()
            assert first not in revocations
        other.result()
    revocations.refresh()
    assert first in revocations
    assert second in revocations


def test_an_end_that_is_rolled_back_leaves_no_gap(service: Engine) -> None:
    first, second = add_login(service, "a"), add_login(service, "b")
    with service.connect() as conn:
        revoke(conn, LoginSession.session_id == first.session_id, NOON)
        conn.rollback()
    end_login(service, second)
    revocations = Revocations(service, lambda: NOON)
    revocations.refresh()
    assert (first in revocations, second in revocations) == (False, True)


def test_an_ended_login_is_read_once(service: Engine) -> None:
    revocations = Revocations(service, lambda: NOON)
    end_login(service, add_login(service, "a"))
    end_login(service, add_login(service, "b", NOON - CLOCK_SKEW))
    read: list[int] = []

    @event.listens_for(service, "after_cursor_execute")
    def count(_: object, cursor: Any, statement: str, *__: object) -> None:
        if "login_session" in statement:
            read.append(cursor.rowcount)

    for _ in range(3):
        revocations.refresh()
    assert read == [1], "not again, and not where the tokens have expired"


def test_a_database_restored_from_a_backup_is_read_anew(service: Engine) -> None:
    revocations = Revocations(service, lambda: NOON)
    for name in "abc":
        end_login(service, add_login(service, name))
    revocations.refresh()
    with service.begin() as conn:
        conn.execute(delete(LoginSession))
        conn.execute(update(LoginRevision).values(revision=1))
    later = add_login(service, "d")
    end_login(service, later)
    revocations.refresh()
    assert later in revocations


def test_a_failed_read_is_forgiven_for_ten_seconds(stack: Stack, service: Engine) -> None:
    seconds = [0.0]
    door, url = gated_url(stack.service_url)
    engine = service_engine(url)
    revocations = Revocations(engine, lambda: NOON, lambda: seconds[0])
    revocations.refresh()
    door.shut()
    for at, fresh in ((1.0, True), (9.0, True), (10.0, False)):
        seconds[0] = at
        with pytest.raises(OperationalError):
            revocations.refresh()
        assert revocations.fresh is fresh, at
    door.open()
    revocations.refresh()
    assert revocations.fresh
    engine.dispose()
    door.close()


def test_ended_logins_keep_their_first_number(service: Engine) -> None:
    identity = add_login(service, "a")
    end_login(service, identity)
    with service.begin() as conn:
        assert revoke(conn, LoginSession.session_id == identity.session_id, NOON) == []
        assert conn.scalars(select(LoginSession.revision)).all() == [1]
        assert conn.scalars(select(LoginRevision.revision)).all() == [1]
