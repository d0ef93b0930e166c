"""Account routes. They wait for the database and for argon2, so they are ``def`` and run in the thread pool."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, BackgroundTasks, HTTPException, Query, Request, Response
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from serving.runtime.accounts import lock_account, require_account
from serving.runtime.deps import CurrentRuntime, User
from serving.runtime.runtime import Runtime
from serving.user import login_limits, queries, sessions
from serving.user.credentials import REQUEST_BODY, Credentials
from serving.user.passwords import check_password, hash_password, password_turn
from serving.user.schemas import Account, Email, EmailCheck, Login, Refresh, SignUp
from serving.web.auth import Identity
from serving.web.errors import AWAY, UNAUTHORIZED, Described, Unavailable, described, log_reason, unauthorized
from serving.web.schemas import Message
from sql.service.erase import erase
from sql.warehouse.erase import anonymise
from sql.warehouse.event_types import UserInfoView, UserLogin, UserLogout, UserSignup

log = structlog.get_logger()


router = APIRouter(prefix="/api", tags=["user"], responses=AWAY)

WRONG = "wrong e-mail address or password"
TAKEN = described(409, "The e-mail address is taken", "this e-mail address is already in use")
TOO_MANY = described(
    429,
    "Too many attempts; the header Retry-After says when to try again",
    "too many attempts: try again in 30 seconds",
)
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
def sign_up(request: Request, runtime: CurrentRuntime, body: SignUp) -> Account:
    """Create an account. An e-mail address is one account in any spelling: in capitals, full width or punycode."""
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
        raise HTTPException(409, "this e-mail address is already in use") from None
    runtime.record_event(user_id, UserSignup())
    return Account(user_id=user_id, email=body.email, username=body.username, created_at=now)


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
        if not lock_account(conn, account.user_id):
            raise unauthorized(WRONG)
        if renewed:
            queries.renew_password_hash(conn, account.user_id, renewed)
        opened = sessions.open_session(conn, account.user_id, runtime.clock(), _lifetimes(runtime))
        device = login_limits.remember(conn, account.user_id, origin, known, runtime.attempts)
        runtime.attempts.succeed(conn, attempt.here, *attempt.others)
    login_limits.set_cookie(request, response, device)
    runtime.record_event(account.user_id, UserLogin())
    return _login(runtime, opened)


@router.post("/auth/refresh", responses=NO_REFRESH)
def refresh(runtime: CurrentRuntime, body: Refresh) -> Login:
    """Exchange a refresh token for new tokens. It can be used once, and its successor is valid for as long again.

    A refresh token that is used twice was stolen or sent twice: the login ends, and all of its tokens with it.
    """
    with runtime.service_db.begin() as conn:
        renewed = sessions.renew(conn, body.refresh_token, runtime.clock(), _lifetimes(runtime))
    if isinstance(renewed, sessions.Opened):
        return _login(runtime, renewed)
    if renewed.ended:
        runtime.auth.revocations.add(*renewed.ended)
        log.warning("refresh_token_reused", session_id=renewed.ended[0])
    raise unauthorized(renewed.reason)


@router.post("/user/logout", responses=UNAUTHORIZED)
def log_out(runtime: CurrentRuntime, user: User) -> Message:
    """End the login of this token, refresh token included: at once in this process, within seconds in the others."""
    with runtime.service_db.begin() as conn:
        until = sessions.end(conn, user.session_id, runtime.clock(), _expiry(user))
    runtime.auth.revocations.add(user.session_id, until)
    runtime.record_event(user.user_id, UserLogout())
    return Message(message="로그아웃되었습니다.")


@router.get("/user/info", responses=UNAUTHORIZED)
def info(runtime: CurrentRuntime, user: User) -> Account:
    """The account of the token."""
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized("this account no longer exists")
    runtime.record_event(user.user_id, UserInfoView())
    return Account(
        user_id=account.user_id, email=account.email, username=account.username, created_at=account.created_at
    )


@router.delete("/user", responses=UNAUTHORIZED)
def delete_account(runtime: CurrentRuntime, user: User, background: BackgroundTasks) -> Message:
    """Delete the account of the token with its ratings, search history and logins.

    Its events are anonymised. All tokens of the account are refused from now on.
    """
    with runtime.service_db.begin() as conn:
        require_account(conn, user.user_id)
        # After waiting for the lock: other processes poll for logins that were revoked lately.
        now = runtime.clock()
        until = sessions.end(conn, user.session_id, now, _expiry(user))
        ended = [(user.session_id, until), *sessions.of_user(conn, user.user_id)]
        erase(conn, [user.user_id], now)
        queries.remember_erased(conn, user.user_id, now)
    for login in ended:
        runtime.auth.revocations.add(*login)
    background.add_task(_anonymise_events, runtime, user.user_id)
    return Message(message="회원 탈퇴가 완료되었습니다.")


async def _anonymise_events(runtime: Runtime, user_id: int) -> None:
    """Anonymise the events of a user, including those that wait in this process.

    ``ukok logs erase`` anonymises the rest: events that other processes and running requests record later, and all of
    them if this fails.
    """
    with suppress(Unavailable):
        await runtime.events.write([])  # returns after everything that waits before it is stored
    await run_in_threadpool(_anonymise_stored, runtime.warehouse, user_id)


def _anonymise_stored(warehouse: Engine, user_id: int) -> None:
    try:
        with warehouse.begin() as conn:
            rows = anonymise(conn, [user_id])
    except SQLAlchemyError as error:
        log.warning("events_anonymised_later", user_id=user_id, reason=log_reason(error))
    else:
        log.info("events_anonymised", user_id=user_id, rows=rows)


def _expiry(identity: Identity) -> datetime:
    return datetime.fromtimestamp(identity.expires_at, tz=UTC)


def _lifetimes(runtime: Runtime) -> sessions.Lifetimes:
    return sessions.Lifetimes(runtime.auth.tokens.lifetime, timedelta(days=runtime.settings.refresh_token_days))


def _login(runtime: Runtime, opened: sessions.Opened) -> Login:
    access_token = runtime.auth.tokens.issue(opened.user_id, opened.session_id)
    seconds = int(runtime.auth.tokens.lifetime.total_seconds())
    return Login(access_token=access_token, refresh_token=opened.refresh_token, expires_in=seconds)
