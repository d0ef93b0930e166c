"""Mails with links, prepared and sent after the answer, so that nobody learns from it who has an account."""

from typing import Annotated

import structlog
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from serving.runtime.deps import runtime_of
from serving.runtime.runtime import Runtime
from serving.user import login_limits, mail_tokens, queries
from serving.user.login_limits import Origin
from serving.user.mail_tokens import Purpose
from serving.user.mailer import MAILERS, describe_failure
from serving.user.mails import compose
from serving.web.errors import described, log_reason

log = structlog.get_logger()

# Beyond so many, further mails are dropped: people ask again.
MOST_WAITING = 200
NO_MAILS = "this service sends no mails"
NO_MAIL = described(404, "The service sends no mails", NO_MAILS)
VOID = "the link is invalid, was used before or has expired: request a new one"
BAD_LINK = described(403, "The token is unknown, used, expired, of another purpose or for an earlier address", VOID)


async def _mailing(request: Request) -> Runtime:
    runtime = runtime_of(request)
    if runtime.settings.mailer == "off":
        raise HTTPException(404, NO_MAILS)
    return runtime


# The runtime of a service that sends mails; else 404.
Mailing = Annotated[Runtime, Depends(_mailing)]


async def mail_soon(runtime: Runtime, purpose: Purpose, email: str, origin: Origin) -> None:
    """Mail a link to the account of an address, if there is one; a failure or too many mails are only logged."""
    if runtime.mail_slots.statistics().tasks_waiting >= MOST_WAITING:
        log.warning("mail_dropped", purpose=purpose)
        return
    await run_sync(_mail, runtime, purpose, email, origin, limiter=runtime.mail_slots)


def _mail(runtime: Runtime, purpose: Purpose, email: str, origin: Origin) -> None:
    now, settings = runtime.clock(), runtime.settings
    try:
        with runtime.service_db.connect() as conn:
            found = queries.find_by_email(conn, email)
            known = login_limits.known_place(conn, email, origin, now)
        if found is None:
            return
        login_limits.begin_mail(runtime.attempts, purpose, email, known)
        with runtime.service_db.begin() as conn:
            account = queries.lock(conn, found.user_id)
            token = mail_tokens.issue(conn, account, purpose, now) if account else None
        if account and token:
            MAILERS[settings.mailer](settings, compose(settings, purpose, account.email, token, now))
            log.info("mail_sent", purpose=purpose, user_id=account.user_id)
    except HTTPException:
        log.warning("mail_refused", purpose=purpose, reason="too many mails of this purpose to one address")
    except SQLAlchemyError as error:
        log.warning("mail_failed", purpose=purpose, reason=log_reason(error))
    except (OSError, ValueError) as error:
        log.warning("mail_failed", purpose=purpose, reason=describe_failure(error))
