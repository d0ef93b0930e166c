"""Deletion of an account with everything that names the person."""

from contextlib import suppress

import structlog
from fastapi import BackgroundTasks, Request
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from serving.runtime.deps import CurrentRuntime, User
from serving.runtime.runtime import Runtime
from serving.user import queries, sessions
from serving.user.common import expiry, new_router, refuse_tokens
from serving.user.confirmation import UNCONFIRMED, confirm_password, lock_confirmed
from serving.user.schemas import Confirmation
from serving.web.errors import UNAUTHORIZED, Unavailable, log_reason
from serving.web.schemas import Message
from sql.service.erase import erase
from sql.warehouse.erase import anonymise

log = structlog.get_logger()

router = new_router()


@router.delete("/user", responses=UNAUTHORIZED | UNCONFIRMED)
def delete_account(
    request: Request, runtime: CurrentRuntime, user: User, body: Confirmation, background: BackgroundTasks
) -> Message:
    """Delete the account of the token with its ratings, search history and logins; its password confirms it.

    Its events are anonymised. All tokens of the account are refused from now on.
    """
    account = confirm_password(request, runtime, user, body.password)
    with runtime.service_db.begin() as conn:
        lock_confirmed(conn, account, body.password)
        # The time after waiting for the lock.
        now = runtime.clock()
        ended = sessions.of_user(conn, user.user_id)
        erase(conn, [user.user_id], now)
        # A token without a session id has no row yet.
        ended += sessions.end(conn, user.session_id, user.user_id, now, expiry(user))
        queries.remember_erased(conn, user.user_id, now)
    refuse_tokens(runtime, ended)
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
