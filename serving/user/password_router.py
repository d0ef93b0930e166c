"""Change of the password, by somebody who is logged in or who reads the mails to the address of the account."""

from fastapi import BackgroundTasks, HTTPException, Request
from fastapi.exceptions import RequestValidationError

from serving.runtime.deps import CurrentRuntime, User
from serving.user import login_limits, mail_tokens, queries, sessions
from serving.user.common import new_router, refuse_tokens
from serving.user.confirmation import UNCONFIRMED, confirm_password, lock_confirmed
from serving.user.login_limits import TOO_MANY
from serving.user.mail_tokens import Purpose
from serving.user.mailing import BAD_LINK, NO_MAIL, VOID, Mailing, mail_soon
from serving.user.passwords import check_rules, hash_password, password_turn
from serving.user.queries import StoredAccount
from serving.user.schemas import AddressOnly, PasswordChange, PasswordReset
from serving.web.errors import UNAUTHORIZED
from serving.web.schemas import Message
from sql.warehouse.event_types import UserPasswordChange, UserPasswordReset

router = new_router()


@router.post("/user/password", responses=UNAUTHORIZED | UNCONFIRMED)
def change_password(request: Request, runtime: CurrentRuntime, user: User, body: PasswordChange) -> Message:
    """Replace the password, confirmed by the current one. All other logins of the account end; this one goes on."""
    account = confirm_password(request, runtime, user, body.current_password)
    check_new_password(body.new_password, account)
    with password_turn():
        password_hash = hash_password(body.new_password)
    with runtime.service_db.begin() as conn:
        lock_confirmed(conn, account, body.current_password)
        queries.set_password_hash(conn, user.user_id, password_hash)
        mail_tokens.void(conn, user.user_id, Purpose.RESET_PASSWORD)
        ended = sessions.end_all(conn, user.user_id, runtime.clock(), keep=user.session_id)
    refuse_tokens(runtime, ended)
    runtime.record_event(user.user_id, UserPasswordChange())
    return Message(message="비밀번호가 변경되었습니다. 다른 기기에서는 다시 로그인해야 합니다.")


@router.post("/user/password/reset", responses=NO_MAIL | TOO_MANY)
def request_reset(request: Request, runtime: Mailing, body: AddressOnly, background: BackgroundTasks) -> Message:
    """Mail a link by which the password can be chosen anew, valid for 30 minutes, to the address of an account.

    Whether there is an account is looked up after the answer, which is always the same. Links of several mails are
    valid side by side, until one of them is used. Beyond three mails, an address gets one every four hours.
    """
    login_limits.begin_from_address(runtime.attempts, login_limits.RESET, request)
    origin = login_limits.origin_of(request, runtime.attempts)
    background.add_task(mail_soon, runtime, Purpose.RESET_PASSWORD, body.email, origin)
    return Message(message="가입된 주소라면 비밀번호 재설정 메일을 보냈습니다.")


@router.post("/user/password/reset/confirm", responses=NO_MAIL | BAD_LINK)
def reset_password(runtime: Mailing, body: PasswordReset) -> Message:
    """Choose a new password by the token of a mailed link. All logins of the account end, and its address is verified.

    A token can be used once. A password that is refused leaves it valid.
    """
    now = runtime.clock()
    with runtime.service_db.connect() as conn:
        account = mail_tokens.find(conn, body.token, Purpose.RESET_PASSWORD, now)
    if account is None:
        raise HTTPException(403, VOID)
    check_new_password(body.new_password, account)
    with password_turn():
        password_hash = hash_password(body.new_password)
    with runtime.service_db.begin() as conn:
        current = mail_tokens.redeem(conn, body.token, Purpose.RESET_PASSWORD, now)
        if current is None:
            raise HTTPException(403, VOID)
        queries.set_password_hash(conn, current.user_id, password_hash)
        queries.set_email_verified(conn, current, now)
        ended = sessions.end_all(conn, current.user_id, now)
    refuse_tokens(runtime, ended)
    runtime.record_event(account.user_id, UserPasswordReset())
    return Message(message="비밀번호가 변경되었습니다. 새 비밀번호로 로그인하세요.")


def check_new_password(password: str, account: StoredAccount) -> None:
    """Refuse a new password that is guessed first, as a sign-up does: 422 with the rule."""
    try:
        check_rules(password, account.email, account.username)
    except ValueError as error:
        wrong = {"type": "value_error", "loc": ("body", "new_password"), "msg": f"Value error, {error}", "input": None}
        raise RequestValidationError([wrong]) from None
