"""Export of everything that is stored of a user."""

from fastapi.responses import StreamingResponse
from sqlalchemy import select

from serving.runtime.deps import CurrentRuntime, User
from serving.user import queries
from serving.user.common import NO_STORE, new_router
from serving.user.confirmation import GONE
from serving.user.export import export
from serving.user.schemas import Export
from serving.web.errors import UNAUTHORIZED, unauthorized
from sql.warehouse.event_types import UserDataExport

router = new_router()


@router.get("/user/export", responses=UNAUTHORIZED, response_model=Export)
def export_data(runtime: CurrentRuntime, user: User) -> StreamingResponse:
    """Everything that is stored of the account, streamed as one JSON object: ratings, searches, logins and events too.

    Events are those of the landing table first. A response that breaks off is no JSON; send the request again.
    """
    with runtime.service_db.connect() as conn:
        account = queries.find(conn, user.user_id)
    if account is None:
        raise unauthorized(GONE)
    # Answered by 503 now, rather than broken off later.
    with runtime.warehouse.connect() as conn:
        conn.execute(select(1))
    shown = account._asdict()
    del shown["password_hash"]
    runtime.record_event(user.user_id, UserDataExport())
    parts = export(runtime.service_db, runtime.warehouse, user.user_id, shown)
    headers = NO_STORE | {"Content-Disposition": 'attachment; filename="ukok-export.json"'}
    return StreamingResponse(parts, media_type="application/json", headers=headers)
