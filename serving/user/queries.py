"""Queries of accounts in the service database."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, insert, or_, select, update

from serving.runtime.accounts import lock_account
from sql.service.users import ErasedUser, LoginSession, RefreshToken, User


class StoredAccount(NamedTuple):
    """An account with the hash of its password."""

    user_id: int
    email: str
    username: str
    password_hash: str
    created_at: datetime
    email_verified_at: datetime | None


class StoredLogin(NamedTuple):
    """A login as it is stored."""

    session_id: str
    started_at: datetime
    last_used_at: datetime | None
    device: str | None


def find_by_email(conn: Connection, email: str) -> StoredAccount | None:
    """Return the account of an e-mail address in its normal form."""
    return _first(conn, User.email == email)


def find(conn: Connection, user_id: int) -> StoredAccount | None:
    """Return the account with this id."""
    return _first(conn, User.user_id == user_id)


def lock(conn: Connection, user_id: int) -> StoredAccount | None:
    """Lock the account until the transaction ends, and return it as it is then."""
    return _first(conn, User.user_id == user_id) if lock_account(conn, user_id) else None


def create(conn: Connection, *, email: str, username: str, password_hash: str, now: datetime) -> int:
    """Insert an account and return its id; ``IntegrityError`` when the e-mail address is taken."""
    row = {"email": email, "username": username, "password_hash": password_hash, "created_at": now}
    return conn.execute(insert(User).values(row).returning(User.user_id)).scalar_one()


def set_password_hash(conn: Connection, user_id: int, password_hash: str) -> None:
    """Replace the hash of the password of an account that this transaction has locked."""
    conn.execute(update(User).where(User.user_id == user_id).values(password_hash=password_hash))


def set_email_verified(conn: Connection, account: StoredAccount, now: datetime) -> None:
    """Record that somebody who reads the mails to the address of a locked account has the account."""
    if account.email_verified_at is None:
        conn.execute(update(User).where(User.user_id == account.user_id).values(email_verified_at=now))


def remember_erased(conn: Connection, user_id: int, now: datetime) -> None:
    """Record that an account was deleted, for its events that are not stored yet."""
    conn.execute(insert(ErasedUser).values(user_id=user_id, erased_at=now))


def valid_logins(conn: Connection, user_id: int, now: datetime, longest: timedelta) -> list[StoredLogin]:
    """Return the logins of a user that have a token which still opens something, the one used last first."""
    extendable = exists().where(
        RefreshToken.session_id == LoginSession.session_id,
        RefreshToken.used_at.is_(None),
        RefreshToken.expires_at > now,
    )
    query = select(*(getattr(LoginSession, name) for name in StoredLogin._fields)).where(
        LoginSession.user_id == user_id,
        LoginSession.revoked_at.is_(None),
        LoginSession.started_at > now - longest,
        or_(LoginSession.access_until > now, extendable),
    )
    logins = [StoredLogin(*row) for row in conn.execute(query)]
    return sorted(logins, key=lambda login: login.last_used_at or login.started_at, reverse=True)


def _first(conn: Connection, condition: ColumnElement[bool]) -> StoredAccount | None:
    columns = tuple(getattr(User, name) for name in StoredAccount._fields)
    row = conn.execute(select(*columns).where(condition)).first()
    return StoredAccount(*row) if row else None
