"""Queries of accounts in the service database."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select, update

from sql.service.users import ErasedUser, User


class StoredAccount(NamedTuple):
    """An account with the hash of its password."""

    user_id: int
    email: str
    username: str
    password_hash: str
    created_at: datetime


def find_by_email(conn: Connection, email: str) -> StoredAccount | None:
    """Return the account of an e-mail address in its normal form."""
    return _first(conn, User.email == email)


def find(conn: Connection, user_id: int) -> StoredAccount | None:
    """Return the account with this id."""
    return _first(conn, User.user_id == user_id)


def create(conn: Connection, *, email: str, username: str, password_hash: str, now: datetime) -> int:
    """Insert an account and return its id; ``IntegrityError`` when the e-mail address is taken."""
    row = {"email": email, "username": username, "password_hash": password_hash, "created_at": now}
    return conn.execute(insert(User).values(row).returning(User.user_id)).scalar_one()


def renew_password_hash(conn: Connection, user_id: int, password_hash: str) -> None:
    """Replace the hash of an unchanged password."""
    conn.execute(update(User).where(User.user_id == user_id).values(password_hash=password_hash))


def remember_erased(conn: Connection, user_id: int, now: datetime) -> None:
    """Record that an account was deleted, for its events that are not stored yet."""
    conn.execute(insert(ErasedUser).values(user_id=user_id, erased_at=now))


def _first(conn: Connection, condition: ColumnElement[bool]) -> StoredAccount | None:
    columns = (User.user_id, User.email, User.username, User.password_hash, User.created_at)
    row = conn.execute(select(*columns).where(condition)).first()
    return StoredAccount(*row) if row else None
