"""Confirmation of an action by the password of the account, as somebody else may have the token."""

from fastapi import HTTPException, Request
from sqlalchemy import Connection

from serving.runtime.runtime import Runtime
from serving.user import queries
from serving.user.passwords import check_password
from serving.user.queries import StoredAccount
from serving.web.auth import Identity
from serving.web.errors import Described, described, unauthorized

GONE = "this account no longer exists"
WRONG_PASSWORD = "wrong password"  # noqa: S105 - what is answered
TOO_MANY = described(
    429,
    "Too many wrong passwords for the account or from the address; the header Retry-After says when to try again",
    "too many login attempts: try again in 120 seconds",
)
# 403: with 401 a client would throw its token away, which is good.
UNCONFIRMED: Described = described(403, "The password is wrong; the login goes on", WRONG_PASSWORD) | TOO_MANY


def client_host(request: Request) -> str:
    """Return the address of the client."""
    return request.client.host if request.client else "unknown"


def confirm_password(request: Request, runtime: Runtime, user: Identity, password: str) -> StoredAccount:
    """Return the account of a user who knows its password; 403 if it is wrong, 429 after too many wrong ones."""
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized(GONE)
    host = client_host(request)
    runtime.login_attempts.begin(account.email, host)
    if not check_password(password, account.password_hash)[0]:
        raise HTTPException(403, WRONG_PASSWORD)
    runtime.login_attempts.succeed(account.email, host)
    return account


def lock_confirmed(conn: Connection, account: StoredAccount, password: str) -> None:
    """Lock an account after its password was checked; 401 if it was deleted since, 403 if it has a new password."""
    current = queries.lock(conn, account.user_id)
    if current is None:
        raise unauthorized(GONE)
    if not is_still_right(account, current, password):
        raise HTTPException(403, WRONG_PASSWORD)


def is_still_right(checked: StoredAccount, current: StoredAccount, password: str) -> bool:
    """Whether a password that was right for ``checked`` is so for the account as it is now, under its lock."""
    return current.password_hash == checked.password_hash or check_password(password, current.password_hash)[0]
