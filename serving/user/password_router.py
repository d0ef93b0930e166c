"""Change of the password by somebody who is logged in."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from serving.runtime.deps import CurrentRuntime, User
from serving.user import queries, sessions
from serving.user.common import new_router, refuse_tokens
from serving.user.confirmation import UNCONFIRMED, confirm_password, lock_confirmed
from serving.user.passwords import check_rules, hash_password
from serving.user.queries import StoredAccount
from serving.user.schemas import PasswordChange
from serving.web.errors import UNAUTHORIZED
from serving.web.schemas import Message
from sql.warehouse.event_types import UserPasswordChange

router = new_router()


@router.post("/user/password", responses=UNAUTHORIZED | UNCONFIRMED)
def change_password(request: Request, runtime: CurrentRuntime, user: User, body: PasswordChange) -> Message:
    """Replace the password, confirmed by the current one. All other logins of the account end; this one goes on."""
    account = confirm_password(request, runtime, user, body.current_password)
    check_new_password(body.new_password, account)
    password_hash = hash_password(body.new_password)
    with runtime.service_db.begin() as conn:
        lock_confirmed(conn, account, body.current_password)
        queries.set_password_hash(conn, user.user_id, password_hash)
        ended = sessions.end_all(conn, user.user_id, runtime.clock(), keep=user.session_id)
    refuse_tokens(runtime, ended)
    runtime.record_event(user.user_id, UserPasswordChange())
    return Message(message="비밀번호가 변경되었습니다. 다른 기기에서는 다시 로그인해야 합니다.")


def check_new_password(password: str, account: StoredAccount) -> None:
    """Refuse a new password that is guessed first, as a sign-up does: 422 with the rule."""
    try:
        check_rules(password, account.email, account.username)
    except ValueError as error:
        wrong = {"type": "value_error", "loc": ("body", "new_password"), "msg": f"Value error, {error}", "input": None}
        raise RequestValidationError([wrong]) from None
