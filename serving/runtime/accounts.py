"""Whether an account is still there, for those who write something of it."""

from sqlalchemy import Connection, select

from serving.web.errors import unauthorized
from sql.service.users import User


def lock_account(conn: Connection, user_id: int) -> bool:
    """Keep the account from going until the transaction ends; False when it is gone."""
    return conn.scalar(select(User.user_id).where(User.user_id == user_id).with_for_update()) is not None


def require_account(conn: Connection, user_id: int) -> None:
    """The same, with 401 when it is gone: a row that is written then would be nobody's."""
    if not lock_account(conn, user_id):
        raise unauthorized("this account no longer exists")
