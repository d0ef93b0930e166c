"""Delete personal data from the service database."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from sql.service.attempts import LoginPlace
from sql.service.revocation import CLOCK_SKEW, revoke
from sql.service.users import LoginSession, MailToken, RecipeRating, RefreshToken, SearchHistory, User


def erase(conn: Connection, user_ids: Collection[int], now: datetime) -> int:
    """Delete the data of users and revoke their sessions at ``now``; return the number of deleted rows.

    Sessions are kept without the user, so that their tokens stay revoked. The caller must hold a lock on the accounts
    that keeps logins out.
    """
    theirs = LoginSession.user_id.in_(user_ids)
    tokens = delete(RefreshToken).where(RefreshToken.session_id.in_(select(LoginSession.session_id).where(theirs)))
    deleted = conn.execute(tokens).rowcount
    for owner, key in (
        (MailToken, MailToken.user_id),
        (SearchHistory, SearchHistory.user_id),
        (RecipeRating, RecipeRating.user_id),
        (LoginPlace, LoginPlace.user_id),
        (User, User.user_id),
    ):
        deleted += conn.execute(delete(owner).where(key.in_(user_ids))).rowcount
    revoke(conn, theirs, now)
    conn.execute(update(LoginSession).where(theirs).values(user_id=None, last_used_at=None, device=None))
    return deleted


def forget_expired(conn: Connection, logins: ColumnElement[bool], now: datetime) -> int:
    """Delete expired tokens and sessions among the rows that match ``logins``; return the number of deleted rows.

    Sessions stay for :data:`CLOCK_SKEW` longer than their tokens: a process whose clock is slow still accepts these.
    """
    session_ids = select(LoginSession.session_id).where(logins)
    expired = delete(RefreshToken).where(RefreshToken.session_id.in_(session_ids), RefreshToken.expires_at <= now)
    has_tokens = exists().where(RefreshToken.session_id == LoginSession.session_id)
    ended = delete(LoginSession).where(logins, LoginSession.access_until <= now - CLOCK_SKEW, ~has_tokens)
    return conn.execute(expired).rowcount + conn.execute(ended).rowcount
