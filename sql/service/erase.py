"""Delete personal data from the service database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from sql.service.attempts import LoginPlace
from sql.service.revocation import CLOCK_SKEW, revoke
from sql.service.users import LoginSession, MailToken, RecipeRating, RefreshToken, SearchHistory, User
from sql.upsert import chunks


def erase(conn: Connection, user_ids: Collection[int], now: datetime) -> int:
    """Delete the data of users and revoke their sessions at ``now``; return the number of deleted rows.

    Sessions are kept without the user, so that their tokens stay revoked. The caller must hold a lock on the accounts
    that keeps logins out.
    """
    session_ids = conn.scalars(select(LoginSession.session_id).where(LoginSession.user_id.in_(user_ids))).all()
    deleted = sum(
        delete_rows(conn, RefreshToken.token_sha256, RefreshToken.session_id.in_(some)) for some in chunks(session_ids)
    )
    deleted += delete_rows(conn, MailToken.token_sha256, MailToken.user_id.in_(user_ids))
    deleted += delete_rows(conn, SearchHistory.search_history_id, SearchHistory.user_id.in_(user_ids))
    deleted += delete_rows(conn, RecipeRating.user_id, RecipeRating.user_id.in_(user_ids))
    deleted += delete_rows(conn, LoginPlace.user_id, LoginPlace.user_id.in_(user_ids))
    deleted += delete_rows(conn, User.user_id, User.user_id.in_(user_ids))
    for some in chunks(session_ids):
        theirs = LoginSession.session_id.in_(some)
        revoke(conn, theirs, now)
        conn.execute(update(LoginSession).where(theirs).values(user_id=None, last_used_at=None, device=None))
    return deleted


def forget_expired(conn: Connection, logins: ColumnElement[bool], now: datetime) -> int:
    """Delete expired tokens and sessions among the rows that match ``logins``; return the number of deleted rows.

    Sessions stay for :data:`CLOCK_SKEW` longer than their tokens: a process whose clock is slow still accepts these.
    """
    expiries = select(LoginSession.session_id, LoginSession.access_until).where(logins)
    sessions = {row.session_id: row.access_until for row in conn.execute(expiries)}
    deleted = 0
    for some in chunks(list(sessions)):
        tokens = RefreshToken.session_id.in_(some)
        deleted += delete_rows(conn, RefreshToken.token_sha256, tokens & (RefreshToken.expires_at <= now))
        extendable = set(conn.scalars(select(RefreshToken.session_id).where(tokens).distinct()))
        over = [name for name in some if name not in extendable and sessions[name] <= now - CLOCK_SKEW]
        if over:
            deleted += conn.execute(delete(LoginSession).where(LoginSession.session_id.in_(over))).rowcount
    return deleted


def delete_rows(conn: Connection, key: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> int:
    """Delete the rows that match by an indexed ``key`` that no other rows share; returns their number.

    MariaDB locks every row that a DELETE looks at, those of other users too where it scans the table, and transactions
    that do so at once wait for each other: a deadlock. Reading locks nothing.
    """
    keys = conn.scalars(select(key).where(condition).distinct()).all()
    return sum(conn.execute(delete(key.class_).where(key.in_(some))).rowcount for some in chunks(keys))
