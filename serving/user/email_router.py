"""Verification of the e-mail address of an account by a link that is mailed to it."""

from fastapi import BackgroundTasks, HTTPException, Request

from serving.runtime.accounts import GONE
from serving.runtime.deps import User
from serving.user import login_limits, mail_tokens, queries
from serving.user.common import new_router
from serving.user.mail_tokens import Purpose
from serving.user.mailing import BAD_LINK, NO_MAIL, VOID, Mailing, mail_soon
from serving.user.schemas import LinkToken
from serving.web.errors import UNAUTHORIZED, unauthorized
from serving.web.schemas import Message
from sql.warehouse.event_types import UserEmailVerify

router = new_router()


@router.post("/user/email/verification", responses=UNAUTHORIZED | NO_MAIL)
def request_verification(request: Request, runtime: Mailing, user: User, background: BackgroundTasks) -> Message:
    """Mail a link that verifies the address of the account, valid for a day.

    Beyond three mails, an address gets one every four hours.
    """
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized(GONE)
    if account.email_verified_at is not None:
        return Message(message="이미 인증된 이메일입니다.")
    origin = login_limits.origin_of(request, runtime.attempts)
    background.add_task(mail_soon, runtime, Purpose.VERIFY_EMAIL, account.email, origin)
    return Message(message="인증 메일을 보냈습니다.")


@router.post("/user/email/verification/confirm", responses=NO_MAIL | BAD_LINK)
def verify_email(runtime: Mailing, body: LinkToken) -> Message:
    """Verify the address of an account by the token of a mailed link, which can be used once."""
    now = runtime.clock()
    with runtime.service_db.begin() as conn:
        account = mail_tokens.redeem(conn, body.token, Purpose.VERIFY_EMAIL, now)
        if account is None:
            raise HTTPException(403, VOID)
        queries.set_email_verified(conn, account, now)
    runtime.record_event(account.user_id, UserEmailVerify())
    return Message(message="이메일이 인증되었습니다.")
