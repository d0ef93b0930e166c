"""Export of everything that is stored of a user."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from serving.runtime.accounts import GONE
from serving.runtime.attempts import Limit
from serving.runtime.deps import CurrentRuntime, User
from serving.user import queries
from serving.user.common import new_router
from serving.user.export import export
from serving.user.login_limits import TOO_MANY
from serving.user.schemas import Export
from serving.web.errors import UNAUTHORIZED, unauthorized
from sql.warehouse.event_types import UserDataExport

# It reads whatever the user has, and nobody needs it often.
EXPORT: Final = Limit("export of an account", 3, timedelta(hours=1))

router = new_router()


@router.get("/user/export", responses=UNAUTHORIZED | TOO_MANY, response_model=Export)
def export_data(runtime: CurrentRuntime, user: User) -> StreamingResponse:
    """Everything that is stored of the account, streamed as one JSON object: ratings, searches, logins and events too.

    Events are those of the landing table first. A response that breaks off is no JSON; send the request again. After
    three exports, one is allowed every hour.
    """
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized(GONE)
    # Answered by 503 now, rather than broken off later.
    with runtime.warehouse.connect() as conn:
        conn.execute(select(1))
    runtime.attempts.begin(runtime.attempts.counted(EXPORT, str(user.user_id)))
    shown = account._asdict()
    del shown["password_hash"]
    runtime.record_event(user.user_id, UserDataExport())
    parts = export(runtime.service_db, runtime.warehouse, user.user_id, shown)
    headers = {"Content-Disposition": 'attachment; filename="ukok-export.json"'}
    return StreamingResponse(_in_turn(parts, runtime.export_slots), media_type="application/json", headers=headers)


async def _in_turn(parts: Iterator[bytes], slots: CapacityLimiter) -> AsyncIterator[bytes]:
    """Yield each part once a slot is free, for which no thread waits that could answer requests.

    A slot is held while a part is read, not while it is sent: a slow client keeps it from nobody.
    """
    while part := await to_thread.run_sync(next, parts, b"", limiter=slots):
        yield part
