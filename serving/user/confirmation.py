"""Confirmation of an action by the password of the account, as somebody else may have the token."""

from fastapi import HTTPException, Request
from sqlalchemy import Connection

from serving.runtime.accounts import GONE
from serving.runtime.runtime import Runtime
from serving.user import login_limits, queries
from serving.user.login_limits import TOO_MANY
from serving.user.passwords import check_password, password_turn
from serving.user.queries import StoredAccount
from serving.web.auth import Identity
from serving.web.errors import Described, described, unauthorized

WRONG_PASSWORD = "wrong password"  # noqa: S105 - what is answered
# 403: with 401 a client would throw its token away, which is good.
UNCONFIRMED: Described = described(403, "The password is wrong; the login goes on", WRONG_PASSWORD) | TOO_MANY


def confirm_password(request: Request, runtime: Runtime, user: Identity, password: str) -> StoredAccount:
    """Return the account of a user who knows its password; 403 if it is wrong, 429 after too many wrong ones."""
    origin = login_limits.origin_of(request, runtime.attempts)
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
        if account is None:
            raise unauthorized(GONE)
        known = login_limits.known_place(conn, account.email, origin, runtime.clock())
    with password_turn():
        attempt = login_limits.begin(runtime.attempts, account.email, origin, known)
        right, _ = check_password(password, account.password_hash)
    if not right:
        raise HTTPException(403, WRONG_PASSWORD)
    with runtime.service_db.begin() as conn:
        runtime.attempts.succeed(conn, attempt.here, *attempt.others)
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
