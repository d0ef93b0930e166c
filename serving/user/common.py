"""What the account routes share: their router, lifetimes of logins, and what follows when logins end."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from serving.runtime.runtime import Runtime
from serving.user.sessions import Lifetimes
from serving.web.auth import Identity
from serving.web.errors import AWAY
from sql.service.revocation import EndedLogin


def new_router() -> APIRouter:
    """Return a router of account routes."""
    return APIRouter(prefix="/api", tags=["user"], responses=AWAY)


def lifetimes(runtime: Runtime) -> Lifetimes:
    """Return the configured lifetimes."""
    settings = runtime.settings
    refresh, login = timedelta(days=settings.refresh_token_days), timedelta(days=settings.login_days)
    return Lifetimes(runtime.auth.tokens.lifetime, refresh, login)


def expiry(identity: Identity) -> datetime:
    """Return when the token of an identity expires."""
    return datetime.fromtimestamp(identity.expires_at, tz=UTC)


def refuse_tokens(runtime: Runtime, ended: Iterable[EndedLogin]) -> None:
    """Refuse the tokens of logins whose end is committed: here at once, in other processes at their next poll."""
    for login in ended:
        runtime.auth.revocations.add(login.session_id, login.access_until)
