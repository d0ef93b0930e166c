"""Logins in the service database, and the refresh tokens that extend them.

A refresh token can be used once, for its successor. Used twice, it was stolen or the client lost the answer; these look
the same, so the login ends. A client must therefore not refresh in two places at once.
"""

import hashlib
import secrets
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from serving.runtime.accounts import lock_account
from sql.service.erase import forget_expired
from sql.service.users import LoginSession, RefreshToken

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Lifetimes:
    """How long tokens are valid."""

    access: timedelta
    refresh: timedelta


class Opened(NamedTuple):
    """A login with its next refresh token."""

    user_id: int
    session_id: str
    refresh_token: str


class Refused(NamedTuple):
    """Why a refresh token is refused; ``ended`` is the login that this ended, and when its access tokens expire."""

    reason: str
    ended: tuple[str, datetime] | None = None


def open_session(conn: Connection, user_id: int, now: datetime, lifetimes: Lifetimes) -> Opened:
    """Start a login of an account that this transaction has locked."""
    session_id = uuid.uuid4().hex
    row = {"session_id": session_id, "user_id": user_id, "started_at": now, "access_until": now + lifetimes.access}
    conn.execute(insert(LoginSession).values(row))
    forget_expired(conn, LoginSession.user_id == user_id, now)
    return Opened(user_id, session_id, _issue(conn, session_id, now, lifetimes))


def renew(conn: Connection, refresh_token: str, now: datetime, lifetimes: Lifetimes) -> Opened | Refused:
    """Exchange a refresh token for its successor. The caller commits in any case: a refusal may end the login."""
    token = RefreshToken.token_sha256 == _digest(refresh_token)
    query = select(RefreshToken.session_id, RefreshToken.expires_at, LoginSession.user_id)
    row = conn.execute(
        query.join(LoginSession, LoginSession.session_id == RefreshToken.session_id).where(token)
    ).first()
    if row is None:
        return Refused("unknown refresh token: log in")
    session_id, expires_at, user_id = row
    # The lock serialises requests with the same token.
    if user_id is None or not lock_account(conn, user_id):
        return Refused("this account no longer exists")
    if expires_at <= now:
        return Refused("the refresh token has expired: log in")
    use = update(RefreshToken).where(token, RefreshToken.used_at.is_(None)).values(used_at=now)
    if not conn.execute(use).rowcount:
        until = end(conn, session_id, now)
        return Refused("the refresh token was used before, so this login is over: log in", (session_id, until))
    extend = update(LoginSession).where(LoginSession.session_id == session_id, LoginSession.revoked_at.is_(None))
    if not conn.execute(extend.values(access_until=now + lifetimes.access)).rowcount:
        return Refused("this login is over: log in")
    forget_expired(conn, LoginSession.user_id == user_id, now)
    return Opened(user_id, session_id, _issue(conn, session_id, now, lifetimes))


def end(conn: Connection, session_id: str, now: datetime, access_until: datetime | None = None) -> datetime:
    """End a login; returns when the last of its access tokens expires.

    A login without a row, of a token without a session id, gets one with ``access_until``.
    """
    login = LoginSession.session_id == session_id
    conn.execute(update(LoginSession).where(login, LoginSession.revoked_at.is_(None)).values(revoked_at=now))
    until: datetime | None = conn.scalar(select(LoginSession.access_until).where(login))
    if until is None:
        until = access_until or now
        row = {"session_id": session_id, "started_at": now, "access_until": until, "revoked_at": now}
        with suppress(IntegrityError), conn.begin_nested():
            conn.execute(insert(LoginSession).values(row))
    return until


def of_user(conn: Connection, user_id: int) -> list[tuple[str, datetime]]:
    """Return the logins of a user, and when the last access token of each expires."""
    query = select(LoginSession.session_id, LoginSession.access_until).where(LoginSession.user_id == user_id)
    return [(session_id, until) for session_id, until in conn.execute(query)]


def _issue(conn: Connection, session_id: str, now: datetime, lifetimes: Lifetimes) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {"token_sha256": _digest(token), "session_id": session_id, "issued_at": now}
    conn.execute(insert(RefreshToken).values(row | {"expires_at": now + lifetimes.refresh}))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
