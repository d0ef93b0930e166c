"""Logins in the service database, and the refresh tokens that extend them.

A refresh token can be used once, for its successor. Tabs of a browser may use the same one at the same instant, so for
:data:`GRACE` it gives the same successor again, as long as that is unused. Used later or after its successor, it was
stolen or the client lost the answer; these look the same, so the login ends.
"""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from serving.runtime.accounts import GONE, lock_account
from sql.clock import database_now
from sql.service.erase import forget_expired
from sql.service.revocation import EndedLogin, next_revision, revoke
from sql.service.users import LoginSession, RefreshToken

TOKEN_BYTES = 32
# Measured by the clock of the database: the requests of two tabs may reach processes whose clocks differ.
GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Lifetimes:
    """How long tokens are valid, and how long a login lasts however often it is extended."""

    access: timedelta
    refresh: timedelta
    login: timedelta


class Opened(NamedTuple):
    """A login with its next refresh token, and when the access token to be issued for it expires."""

    user_id: int
    session_id: str
    refresh_token: str
    access_until: datetime


class Refused(NamedTuple):
    """Why a refresh token is refused; ``ended`` are the logins that this ended: one or none."""

    reason: str
    ended: Sequence[EndedLogin] = ()


class _Login(NamedTuple):
    """A login as it was before it is extended."""

    session_id: str
    user_id: int
    started_at: datetime
    access_until: datetime


def open_session(
    conn: Connection, user_id: int, now: datetime, lifetimes: Lifetimes, device: str | None = None
) -> Opened:
    """Start a login of an account that this transaction has locked."""
    login = _Login(uuid.uuid4().hex, user_id, now, now + min(lifetimes.access, lifetimes.login))
    conn.execute(insert(LoginSession).values(login._asdict() | {"device": device}))
    forget_expired(conn, LoginSession.user_id == user_id, now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _issue(conn, login, token, now, lifetimes)
    return Opened(user_id, login.session_id, token, login.access_until)


def renew(
    conn: Connection, refresh_token: str, successor: str, now: datetime, lifetimes: Lifetimes
) -> Opened | Refused:
    """Exchange a refresh token for its successor. The caller commits in any case: a refusal may end the login."""
    token = RefreshToken.token_sha256 == _digest(refresh_token)
    owner = select(LoginSession.user_id).join(RefreshToken, RefreshToken.session_id == LoginSession.session_id)
    row = conn.execute(owner.where(token)).first()
    if row is None:
        return Refused("unknown refresh token: log in")
    # The lock serialises requests with the same token, and with what ends the login.
    if row.user_id is None or not lock_account(conn, row.user_id):
        return Refused(GONE)
    login = _read_valid(conn, token, now, lifetimes)
    if isinstance(login, Refused):
        return login
    use = update(RefreshToken).where(token, RefreshToken.used_at.is_(None)).values(used_at=database_now(conn))
    if conn.execute(use).rowcount:
        _issue(conn, login, successor, now, lifetimes)
    elif not _in_grace(conn, token, successor):
        ended = revoke(conn, LoginSession.session_id == login.session_id, now)
        return Refused("the refresh token was used before, so this login is over: log in", ended)
    return Opened(login.user_id, login.session_id, successor, _extend(conn, login, now, lifetimes))


def end(conn: Connection, session_id: str, user_id: int, now: datetime, access_until: datetime) -> list[EndedLogin]:
    """End a login, whose tokens expire at ``access_until`` at the latest if it has no row; returns what was ended.

    A token without a session id is a login without a row; it gets one.
    """
    lock_account(conn, user_id)
    login = LoginSession.session_id == session_id
    ended = revoke(conn, login, now)
    if not ended and conn.scalar(select(LoginSession.session_id).where(login)) is None:
        row = {"session_id": session_id, "started_at": now, "access_until": access_until, "revoked_at": now}
        with suppress(IntegrityError), conn.begin_nested():
            conn.execute(insert(LoginSession).values(row | {"revision": next_revision(conn)}))
    return ended or [EndedLogin(session_id, access_until)]


def end_all(conn: Connection, user_id: int, now: datetime, keep: str | None = None) -> list[EndedLogin]:
    """End the logins of an account that this transaction has locked, except ``keep``; returns what was ended."""
    others = LoginSession.user_id == user_id
    return revoke(conn, others if keep is None else others & (LoginSession.session_id != keep), now)


def end_one(conn: Connection, user_id: int, session_id: str, now: datetime) -> list[EndedLogin]:
    """End one login of an account that this transaction has locked; returns it, nothing if the account has none."""
    return revoke(conn, (LoginSession.user_id == user_id) & (LoginSession.session_id == session_id), now)


def of_user(conn: Connection, user_id: int) -> list[EndedLogin]:
    """Return the logins of a user that is about to be deleted."""
    query = select(LoginSession.session_id, LoginSession.access_until).where(LoginSession.user_id == user_id)
    return [EndedLogin(*row) for row in conn.execute(query)]


def _read_valid(conn: Connection, token: ColumnElement[bool], now: datetime, lifetimes: Lifetimes) -> _Login | Refused:
    """Return the login of a token, or why it cannot be extended."""
    columns = (LoginSession.session_id, LoginSession.user_id, LoginSession.started_at, LoginSession.access_until)
    state = select(*columns, LoginSession.revoked_at, RefreshToken.expires_at).where(token)
    row = conn.execute(state.join(RefreshToken, RefreshToken.session_id == LoginSession.session_id)).first()
    if row is None or row.revoked_at is not None:
        return Refused("this login is over: log in")
    if row.expires_at <= now:
        return Refused("the refresh token has expired: log in")
    if row.started_at + lifetimes.login <= now:
        return Refused(f"this login began {lifetimes.login.days} days ago: log in")
    return _Login(row.session_id, row.user_id, row.started_at, row.access_until)


def _in_grace(conn: Connection, token: ColumnElement[bool], successor: str) -> bool:
    """Whether a used token was used a moment ago, and its successor was not."""
    used_at = conn.scalar(select(RefreshToken.used_at).where(token))
    unused = (RefreshToken.token_sha256 == _digest(successor), RefreshToken.used_at.is_(None))
    if used_at is None or conn.scalar(select(RefreshToken.session_id).where(*unused)) is None:
        return False
    return database_now(conn) - used_at < GRACE


def _extend(conn: Connection, login: _Login, now: datetime, lifetimes: Lifetimes) -> datetime:
    """Note that a login was used; returns when the access token to be issued expires."""
    until = min(now + lifetimes.access, login.started_at + lifetimes.login)
    # A process whose clock is ahead may have issued a token that expires later.
    values = {"access_until": max(until, login.access_until), "last_used_at": now}
    conn.execute(update(LoginSession).where(LoginSession.session_id == login.session_id).values(values))
    forget_expired(conn, LoginSession.user_id == login.user_id, now)
    return until


def _issue(conn: Connection, login: _Login, token: str, now: datetime, lifetimes: Lifetimes) -> None:
    expires_at = min(now + lifetimes.refresh, login.started_at + lifetimes.login)
    row = {"token_sha256": _digest(token), "session_id": login.session_id, "issued_at": now, "expires_at": expires_at}
    conn.execute(insert(RefreshToken).values(row))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
