"""Tokens of mailed links: random, stored by their hash, for one purpose, address and use, and soon expired."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from serving.user import queries
from serving.user.queries import StoredAccount
from sql.service.erase import delete_rows
from sql.service.users import MailToken

TOKEN_BYTES = 32
# Tokens of an account that are valid at a time for a purpose: mails may arrive late and out of order.
MOST_VALID = 5


class Purpose(StrEnum):
    """What a token may be used for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - names a purpose


LIFETIMES = {Purpose.VERIFY_EMAIL: timedelta(hours=24), Purpose.RESET_PASSWORD: timedelta(minutes=30)}


def issue(conn: Connection, account: StoredAccount, purpose: Purpose, now: datetime) -> str:
    """Issue a token to an account that this transaction has locked.

    Earlier ones stay valid, so that nobody voids the link of somebody else by asking for another one.
    """
    theirs = (MailToken.user_id == account.user_id) & (MailToken.purpose == purpose)
    newest = select(MailToken.token_sha256).where(theirs, MailToken.expires_at > now)
    newest = newest.order_by(MailToken.issued_at.desc(), MailToken.token_sha256).limit(MOST_VALID - 1)
    kept = conn.scalars(newest).all()
    delete_rows(conn, MailToken.token_sha256, theirs & MailToken.token_sha256.not_in(kept))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {"token_sha256": _digest(token), "user_id": account.user_id, "purpose": purpose, "email": account.email}
    conn.execute(insert(MailToken).values(row | {"issued_at": now, "expires_at": now + LIFETIMES[purpose]}))
    return token


def find(conn: Connection, token: str, purpose: Purpose, now: datetime) -> StoredAccount | None:
    """Return the account that a token is good for, None if it is not."""
    stored = (MailToken.token_sha256 == _digest(token), MailToken.purpose == purpose, MailToken.expires_at > now)
    row = conn.execute(select(MailToken.user_id, MailToken.email).where(*stored)).first()
    account = queries.find(conn, row.user_id) if row else None
    return account if account and row and account.email == row.email else None


def redeem(conn: Connection, token: str, purpose: Purpose, now: datetime) -> StoredAccount | None:
    """Use a token up, and lock and return its account; None if it is not good, or was used by another request.

    Other tokens of the account for the same purpose become invalid.
    """
    found = find(conn, token, purpose, now)
    account = queries.lock(conn, found.user_id) if found else None
    if account is None or not conn.execute(delete(MailToken).where(MailToken.token_sha256 == _digest(token))).rowcount:
        return None
    void(conn, account.user_id, purpose)
    return account


def void(conn: Connection, user_id: int, purpose: Purpose) -> None:
    """Make the tokens of a locked account invalid for a purpose."""
    theirs = (MailToken.user_id == user_id) & (MailToken.purpose == purpose)
    delete_rows(conn, MailToken.token_sha256, theirs)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
