"""Locks on accounts, for transactions that write rows of a user."""

from sqlalchemy import Connection, select

from serving.web.errors import unauthorized
from sql.service.users import User

GONE = "this account no longer exists"


def lock_account(conn: Connection, user_id: int) -> bool:
    """Lock the account until the transaction ends, so that it cannot be deleted; False when it no longer exists."""
    return conn.scalar(select(User.user_id).where(User.user_id == user_id).with_for_update()) is not None


def require_account(conn: Connection, user_id: int) -> None:
    """Lock the account, or raise 401 when it no longer exists."""
    if not lock_account(conn, user_id):
        raise unauthorized(GONE)
