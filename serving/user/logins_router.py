"""Logins as the owner of the account sees them: the list, and the end of one or all of them."""

from typing import Annotated

from fastapi import Path

from serving.runtime.accounts import require_account
from serving.runtime.deps import CurrentRuntime, User
from serving.user import queries, sessions
from serving.user.common import expiry, lifetimes, new_router, refuse_tokens
from serving.user.schemas import LOGIN_ID, LoginEntry, LoginId, LoginList
from serving.web.auth import Identity
from serving.web.errors import UNAUTHORIZED, absent, not_found
from serving.web.schemas import Message
from sql.warehouse.event_types import UserLoginEnd, UserLoginsView, UserLogoutAll

router = new_router()


@router.get("/user/logins", responses=UNAUTHORIZED)
def logins(runtime: CurrentRuntime, user: User) -> LoginList:
    """The logins of the account that are not over, and which of them this is.

    Of a device no more is kept than the names of its browser and system. A login counts as used when its tokens were
    refreshed last.
    """
    with runtime.service_db.connect() as conn:
        stored = queries.valid_logins(conn, user.user_id, runtime.clock(), lifetimes(runtime).login)
    runtime.record_event(user.user_id, UserLoginsView(count=len(stored)))
    return LoginList(logins=[_entry(login, user) for login in stored])


@router.delete("/user/logins/{login_id}", responses=UNAUTHORIZED | absent(f"login {LOGIN_ID}"))
def end_login(
    runtime: CurrentRuntime,
    user: User,
    login_id: Annotated[LoginId, Path(description="Of the list of logins", examples=[LOGIN_ID])],
) -> Message:
    """End one login of the account, with all of its tokens."""
    with runtime.service_db.begin() as conn:
        require_account(conn, user.user_id)
        ended = sessions.end_one(conn, user.user_id, login_id, runtime.clock())
    if not ended:
        raise not_found(f"login {login_id}")
    refuse_tokens(runtime, ended)
    runtime.record_event(user.user_id, UserLoginEnd())
    return Message(message="선택한 기기에서 로그아웃되었습니다.")


@router.post("/user/logout/all", responses=UNAUTHORIZED)
def log_out_everywhere(runtime: CurrentRuntime, user: User) -> Message:
    """End all logins of the account, this one included: at once in this process, within seconds in the others."""
    with runtime.service_db.begin() as conn:
        require_account(conn, user.user_id)
        now = runtime.clock()
        ended = sessions.end_all(conn, user.user_id, now)
        # A token without a session id has no row yet.
        ended += sessions.end(conn, user.session_id, user.user_id, now, expiry(user))
    refuse_tokens(runtime, ended)
    runtime.record_event(user.user_id, UserLogoutAll())
    return Message(message="모든 기기에서 로그아웃되었습니다.")


def _entry(login: queries.StoredLogin, user: Identity) -> LoginEntry:
    return LoginEntry(
        login_id=login.session_id,
        started_at=login.started_at,
        last_used_at=login.last_used_at or login.started_at,
        device=login.device,
        is_current=login.session_id == user.session_id,
    )
