"""Account routes. They wait for the database and for argon2, so they are ``def`` and run in the thread pool."""

from typing import Annotated

import structlog
from fastapi import BackgroundTasks, HTTPException, Query, Request, Response
from sqlalchemy.exc import IntegrityError

from serving.runtime.accounts import GONE
from serving.runtime.deps import CurrentRuntime, User
from serving.runtime.runtime import Runtime
from serving.user import login_limits, queries, sessions
from serving.user.common import expiry, lifetimes, new_router, refuse_tokens
from serving.user.confirmation import is_still_right
from serving.user.credentials import REQUEST_BODY, Credentials
from serving.user.devices import device_label
from serving.user.login_limits import TOO_MANY
from serving.user.mail_tokens import Purpose
from serving.user.mailing import mail_soon
from serving.user.passwords import check_password, hash_password, password_turn
from serving.user.schemas import Account, Email, EmailCheck, Login, Refresh, SignUp
from serving.web.cookies import is_secure
from serving.web.errors import UNAUTHORIZED, Described, described, unauthorized
from serving.web.schemas import Message
from sql.warehouse.event_types import UserInfoView, UserLogin, UserLogout, UserSignup

log = structlog.get_logger()

router = new_router()

WRONG = "wrong e-mail address or password"
IN_USE = "this e-mail address is already in use"
TAKEN = described(409, "The e-mail address is taken", IN_USE)
REFUSED: Described = {
    **described(401, "Wrong e-mail address or password; the answer does not say which", WRONG),
    422: {
        "description": "Neither a form nor JSON with an e-mail address and a password",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}},
    },
    **TOO_MANY,
}
NO_REFRESH = described(
    401, "The refresh token is unknown, expired, used before or logged out", "unknown refresh token: log in"
)


@router.post("/user/signup", status_code=201, responses=TAKEN | TOO_MANY)
def sign_up(request: Request, runtime: CurrentRuntime, body: SignUp, background: BackgroundTasks) -> Account:
    """Create an account. An e-mail address is one account in any spelling: in capitals, full width or punycode.

    If the service sends mails, one with a link that verifies the address follows.
    """
    now = runtime.clock()
    with password_turn():
        login_limits.begin_from_address(runtime.attempts, login_limits.SIGN_UP, request)
        password_hash = hash_password(body.password)
    try:
        with runtime.service_db.begin() as conn:
            user_id = queries.create(
                conn, email=body.email, username=body.username, password_hash=password_hash, now=now
            )
    except IntegrityError:
        raise HTTPException(409, IN_USE) from None
    runtime.record_event(user_id, UserSignup())
    if runtime.settings.mailer != "off":
        origin = login_limits.origin_of(request, runtime.attempts)
        background.add_task(mail_soon, runtime, Purpose.VERIFY_EMAIL, body.email, origin)
    return Account(user_id=user_id, email=body.email, username=body.username, created_at=now, email_verified=False)


@router.get("/user/signup/email/check", responses=TOO_MANY)
def check_email(
    request: Request,
    runtime: CurrentRuntime,
    email: Annotated[Email, Query(description="In any spelling", examples=["visitor@example.com"])],
) -> EmailCheck:
    """Whether an e-mail address is taken."""
    login_limits.begin_from_address(runtime.attempts, login_limits.EMAIL_CHECK, request)
    # No user_email_duplicate_check is recorded: the visitor is unknown.
    with runtime.service_db.connect() as conn:
        taken = queries.find_by_email(conn, email) is not None
    message = "이미 사용 중인 이메일입니다." if taken else "사용 가능한 이메일입니다."
    return EmailCheck(email=email, is_duplicate=taken, message=message)


@router.post("/user/login", responses=REFUSED, openapi_extra=REQUEST_BODY)
def log_in(request: Request, response: Response, runtime: CurrentRuntime, given: Credentials) -> Login:
    """Exchange e-mail address and password for tokens: by form (the address is its `username`) or by JSON.

    After ten wrong passwords for an account from one browser or address, one attempt is allowed every 30 seconds.
    Wrong passwords from many addresses delay those alone who have not logged in to the account from their browser or
    address lately. The cookie `ukok_device` names the browser.
    """
    origin = login_limits.origin_of(request, runtime.attempts)
    with runtime.service_db.connect() as conn:
        account = queries.find_by_email(conn, given.email) if given.email else None
        known = login_limits.known_place(conn, given.email, origin, runtime.clock())
    with password_turn():
        attempt = login_limits.begin(runtime.attempts, given.email, origin, known)
        right, renewed = check_password(given.password, account.password_hash if account else None)
    if not account or not right:
        raise unauthorized(WRONG)
    with runtime.service_db.begin() as conn:
        current = queries.lock(conn, account.user_id)
        # A new password ends the logins that were made with the old one, and so it does one that is being made.
        if current is None or not is_still_right(account, current, given.password):
            raise unauthorized(WRONG)
        if renewed and current.password_hash == account.password_hash:
            queries.set_password_hash(conn, account.user_id, renewed)
        label = device_label(request.headers.get("user-agent"))
        now = runtime.clock()
        opened = sessions.open_session(conn, account.user_id, now, lifetimes(runtime), label)
        devices = login_limits.remember(conn, account.user_id, origin, known, runtime.attempts, now)
        runtime.attempts.succeed(conn, attempt.here, *attempt.others)
    login_limits.set_cookie(response, devices, is_secure(request.scope, runtime.settings))
    runtime.record_event(account.user_id, UserLogin())
    return _login(runtime, opened)


@router.post("/auth/refresh", responses=NO_REFRESH)
def refresh(runtime: CurrentRuntime, body: Refresh) -> Login:
    """Exchange a refresh token for new tokens. It can be used once, and its successor is valid for as long again.

    For 30 seconds it gives the same successor again, as tabs of a browser may send it together, unless that was used
    too. A refresh token that is used later was stolen: the login ends, and all of its tokens with it. However often it
    is extended, a login ends after some days.
    """
    successor = runtime.auth.tokens.successor(body.refresh_token)
    with runtime.service_db.begin() as conn:
        renewed = sessions.renew(conn, body.refresh_token, successor, runtime.clock(), lifetimes(runtime))
    if isinstance(renewed, sessions.Opened):
        return _login(runtime, renewed)
    refuse_tokens(runtime, renewed.ended)
    for ended in renewed.ended:
        log.warning("refresh_token_reused", session_id=ended.session_id)
    raise unauthorized(renewed.reason)


@router.post("/user/logout", responses=UNAUTHORIZED)
def log_out(runtime: CurrentRuntime, user: User) -> Message:
    """End the login of this token, refresh token included: at once in this process, within seconds in the others."""
    with runtime.service_db.begin() as conn:
        ended = sessions.end(conn, user.session_id, user.user_id, runtime.clock(), expiry(user))
    refuse_tokens(runtime, ended)
    runtime.record_event(user.user_id, UserLogout())
    return Message(message="로그아웃되었습니다.")


@router.get("/user/info", responses=UNAUTHORIZED)
def info(runtime: CurrentRuntime, user: User) -> Account:
    """The account of the token."""
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized(GONE)
    runtime.record_event(user.user_id, UserInfoView())
    return Account(
        user_id=account.user_id,
        email=account.email,
        username=account.username,
        created_at=account.created_at,
        email_verified=account.email_verified_at is not None,
    )


def _login(runtime: Runtime, opened: sessions.Opened) -> Login:
    access_token = runtime.auth.tokens.issue(opened.user_id, opened.session_id, opened.access_until)
    seconds = round((opened.access_until - runtime.clock()).total_seconds())
    return Login(access_token=access_token, refresh_token=opened.refresh_token, expires_in=seconds)
