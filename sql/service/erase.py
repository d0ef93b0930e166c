"""What people leave in the service database, removed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from sql.service.users import LoginSession, RecipeRating, RefreshToken, SearchHistory, User


def erase(conn: Connection, user_ids: Collection[int], now: datetime) -> int:
    """Delete everything of these users but the bare fact of their logins, which end at ``now``; how many rows went.

    Whoever is logging one of them in must be kept away by a lock on the account.
    """
    logins = select(LoginSession.session_id).where(LoginSession.user_id.in_(user_ids))
    gone = conn.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(logins))).rowcount
    conn.execute(
        update(LoginSession)
        .where(LoginSession.user_id.in_(user_ids), LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    conn.execute(update(LoginSession).where(LoginSession.user_id.in_(user_ids)).values(user_id=None))
    for owner, key in (
        (SearchHistory, SearchHistory.user_id),
        (RecipeRating, RecipeRating.user_id),
        (User, User.user_id),
    ):
        gone += conn.execute(delete(owner).where(key.in_(user_ids))).rowcount
    return gone


def forget_expired(conn: Connection, logins: ColumnElement[bool], now: datetime) -> int:
    """Delete, of some rows of ``login_session``, what opens nothing any more; how many rows went."""
    session_ids = select(LoginSession.session_id).where(logins)
    expired = delete(RefreshToken).where(RefreshToken.session_id.in_(session_ids), RefreshToken.expires_at <= now)
    has_tokens = exists().where(RefreshToken.session_id == LoginSession.session_id)
    over = delete(LoginSession).where(logins, LoginSession.access_until <= now, ~has_tokens)
    return conn.execute(expired).rowcount + conn.execute(over).rowcount
