"""Delete personal data from the service database."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from sql.service.attempts import LoginPlace
from sql.service.users import LoginSession, RecipeRating, RefreshToken, SearchHistory, User


def erase(conn: Connection, user_ids: Collection[int], now: datetime) -> int:
    """Delete the data of users and revoke their sessions at ``now``; return the number of deleted rows.

    Sessions are kept without the user, so that their tokens stay revoked. The caller must hold a lock on the accounts
    that keeps logins out.
    """
    logins = select(LoginSession.session_id).where(LoginSession.user_id.in_(user_ids))
    deleted = conn.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(logins))).rowcount
    conn.execute(
        update(LoginSession)
        .where(LoginSession.user_id.in_(user_ids), LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    conn.execute(update(LoginSession).where(LoginSession.user_id.in_(user_ids)).values(user_id=None))
    for owner, key in (
        (SearchHistory, SearchHistory.user_id),
        (RecipeRating, RecipeRating.user_id),
        (LoginPlace, LoginPlace.user_id),
        (User, User.user_id),
    ):
        deleted += conn.execute(delete(owner).where(key.in_(user_ids))).rowcount
    return deleted


def forget_expired(conn: Connection, logins: ColumnElement[bool], now: datetime) -> int:
    """Delete expired tokens and sessions among the rows that match ``logins``; return the number of deleted rows."""
    session_ids = select(LoginSession.session_id).where(logins)
    expired = delete(RefreshToken).where(RefreshToken.session_id.in_(session_ids), RefreshToken.expires_at <= now)
    has_tokens = exists().where(RefreshToken.session_id == LoginSession.session_id)
    ended = delete(LoginSession).where(logins, LoginSession.access_until <= now, ~has_tokens)
    return conn.execute(expired).rowcount + conn.execute(ended).rowcount
