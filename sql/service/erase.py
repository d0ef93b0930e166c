"""Delete personal data from the service database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute

from sql.service.attempts import KNOWN_FOR, LoginPlace
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


def users_with_expired(conn: Connection, now: datetime) -> list[int]:
    """Return the users of whom logins or places of logins are kept no longer."""
    valid = exists().where(RefreshToken.session_id == LoginSession.session_id, RefreshToken.expires_at > now)
    over = (LoginSession.access_until <= now - CLOCK_SKEW) & ~valid
    logins = select(LoginSession.user_id).where(LoginSession.user_id.is_not(None), over)
    places = select(LoginPlace.user_id).where(LoginPlace.seen_at <= now - KNOWN_FOR)
    return sorted(conn.scalars(logins.union(places)))


def forget_expired_of(conn: Connection, user_ids: Collection[int], now: datetime) -> int:
    """Delete logins and places of users that are kept no longer; return the number of deleted rows.

    The accounts are locked first, as by each request that changes these rows, so that neither waits for the other's.
    """
    for user_id in user_ids:
        conn.execute(select(User.user_id).where(User.user_id == user_id).with_for_update())
    deleted = forget_expired(conn, LoginSession.user_id.in_(user_ids), now)
    keys = (LoginPlace.user_id.label("user"), LoginPlace.place_sha256.label("place"))
    old = select(*keys).where(LoginPlace.user_id.in_(user_ids), LoginPlace.seen_at <= now - KNOWN_FOR)
    places = [dict(row) for row in conn.execute(old).mappings()]
    if places:
        # One by one, by their key: MariaDB locks every row that a statement looks at.
        key = (LoginPlace.user_id == bindparam("user"), LoginPlace.place_sha256 == bindparam("place"))
        conn.execute(delete(LoginPlace).where(*key), places)
    return deleted + len(places)


def delete_rows(conn: Connection, key: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> int:
    """Delete the rows that match by an indexed ``key`` that no other rows share; returns their number.

    MariaDB locks every row that a DELETE looks at, those of other users too where it scans the table, and transactions
    that do so at once wait for each other: a deadlock. Reading locks nothing.
    """
    keys = conn.scalars(select(key).where(condition).distinct()).all()
    return sum(conn.execute(delete(key.class_).where(key.in_(some))).rowcount for some in chunks(keys))
