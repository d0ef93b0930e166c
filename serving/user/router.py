"""Account routes. They wait for the database and for argon2, so they run in the thread pool."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from sqlalchemy.exc import IntegrityError

from serving.common.deps import CurrentRuntime, User, is_storable
from serving.common.errors import UNAUTHORIZED, ErrorBody
from serving.common.passwords import check_password, hash_password
from serving.user import queries
from serving.user.schemas import Account, Email, EmailCheck, Login, Message, SignUp

router = APIRouter(prefix="/api/user", tags=["user"])


@router.post("/signup", status_code=201, responses={409: {"model": ErrorBody, "description": "E-mail address taken"}})
def sign_up(runtime: CurrentRuntime, body: SignUp) -> Account:
    """Make an account."""
    now = runtime.clock()
    password_hash = hash_password(body.password)
    try:
        with runtime.service_db.begin() as conn:
            user_id = queries.create(
                conn, email=body.email, username=body.username, password_hash=password_hash, now=now
            )
    except IntegrityError:
        raise HTTPException(409, "this e-mail address is already in use") from None
    return Account(user_id=user_id, email=body.email, username=body.username, created_at=now)


@router.get("/signup/email/check")
def check_email(runtime: CurrentRuntime, email: Email) -> EmailCheck:
    """Tell whether an e-mail address is taken."""
    with runtime.service_db.connect() as conn:
        taken = queries.find_by_email(conn, email) is not None
    message = "이미 사용 중인 이메일입니다." if taken else "사용 가능한 이메일입니다."
    return EmailCheck(email=email, is_duplicate=taken, message=message)


@router.post("/login", responses={401: {"model": ErrorBody, "description": "Wrong e-mail address or password"}})
def log_in(runtime: CurrentRuntime, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Login:
    """Exchange e-mail address (as ``username``) and password for an access token."""
    email = form.username.strip().lower()
    with runtime.service_db.connect() as conn:
        account = queries.find_by_email(conn, email) if is_storable(email) else None
    right, renewed = check_password(form.password, account.password_hash if account else None)
    if not account or not right:
        raise HTTPException(401, "wrong e-mail address or password", headers={"WWW-Authenticate": "Bearer"})
    if renewed:
        with runtime.service_db.begin() as conn:
            queries.renew_password_hash(conn, account.user_id, renewed)
    return Login(access_token=runtime.auth.tokens.issue(account.user_id))


@router.post("/logout", responses=UNAUTHORIZED)
def log_out(runtime: CurrentRuntime, user: User) -> Message:
    """Revoke the token of this request: at once in this process, within seconds in the others."""
    runtime.auth.revocations.revoke(user)
    return Message(message="로그아웃되었습니다.")


@router.get("/info", responses=UNAUTHORIZED)
def info(runtime: CurrentRuntime, user: User) -> Account:
    """The account of the token."""
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise HTTPException(401, "this account no longer exists", headers={"WWW-Authenticate": "Bearer"})
    return Account(
        user_id=account.user_id, email=account.email, username=account.username, created_at=account.created_at
    )
