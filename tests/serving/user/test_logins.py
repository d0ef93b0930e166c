"""Tokens and ended logins in memory: kept while they matter, and no longer."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from serving.web.auth import Identity, Revocations, Tokens
from sql.service.revocation import next_revision
from sql.service.users import LoginSession
from tests.conftest import SECRET_KEY
from tests.serving.conftest import Now, Person

HOUR = timedelta(hours=1)


def end_login(service: Engine, session_id: str, access_until: datetime) -> Identity:
    """Store a login that ended while its token was valid; returns the identity of that token."""
    started = access_until - HOUR
    row = {"session_id": session_id, "started_at": started, "access_until": access_until, "revoked_at": started}
    with service.begin() as conn:
        conn.execute(insert(LoginSession), row | {"revision": next_revision(conn)})
    return Identity(1, access_until.timestamp(), session_id)


def test_stale_revocations_are_not_trusted(service: Engine, now: Now) -> None:
    seconds = [0.0]
    revocations = Revocations(service, now, lambda: seconds[0])
    reported = [revocations.fresh]
    revocations.refresh()
    reported.append(revocations.fresh)
    seconds[0] += 60
    reported.append(revocations.fresh)
    revocations.refresh()
    reported.append(revocations.fresh)
    assert reported == [False, True, False, True]


def test_an_ended_login_is_forgotten_when_its_tokens_have_expired(service: Engine, now: Now) -> None:
    revocations = Revocations(service, now, lambda: now().timestamp())
    elsewhere = end_login(service, "a" * 32, now() + HOUR)
    here = Identity(1, (now() + HOUR).timestamp(), "b" * 32)
    revocations.add(here.session_id, now() + HOUR)
    revocations.refresh()
    assert elsewhere in revocations
    assert here in revocations
    now.forward(minutes=60)
    revocations.refresh()
    assert elsewhere in revocations, "a process whose clock is slow accepts its tokens yet"
    now.forward(hours=2)
    revocations.refresh()
    assert elsewhere not in revocations
    assert here not in revocations


def test_cache_of_verified_tokens_is_bounded(now: Now) -> None:
    tokens = Tokens(SECRET_KEY, HOUR, now, max_cached=3)
    issued = [tokens.issue(user_id) for user_id in range(1, 8)]
    for _ in range(2):
        verified = [tokens.verify(token) for token in issued]
        assert [identity.user_id for identity in verified if identity] == list(range(1, 8))
    assert len(tokens._verified) == 3


def test_token_is_accepted_as_bearer_only(client: TestClient, person: Person) -> None:
    token = person.headers["Authorization"].removeprefix("Bearer ")

    def status(header: str) -> int:
        return client.get("/api/user/info", headers={"Authorization": header}).status_code

    assert {scheme: status(f"{scheme} {token}") for scheme in ("Bearer", "bearer", "Basic", "Token", "")} == {
        "Bearer": 200,
        "bearer": 200,
        "Basic": 401,
        "Token": 401,
        "": 401,
    }
    assert status(token) == 401
