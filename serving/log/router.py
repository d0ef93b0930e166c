"""Event routes."""

from datetime import datetime

from fastapi import APIRouter, HTTPException
from uuid6 import uuid7

from serving.common.clock import KST
from serving.common.deps import CurrentRuntime, User
from serving.common.errors import ErrorBody, StartupError
from serving.log.schemas import Activity, ActivityLogged
from serving.log.writer import Event, EventRefused, EventWriter

router = APIRouter(prefix="/api/log/user", tags=["log"])


@router.post(
    "/activity",
    status_code=201,
    responses={
        401: {"model": ErrorBody, "description": "Not logged in"},
        403: {"model": ErrorBody, "description": "An event of another user"},
    },
)
async def log_activity(runtime: CurrentRuntime, user: User, body: Activity) -> ActivityLogged:
    """Store an event of the user; the answer comes after its commit."""
    if body.user_id is not None and body.user_id != user.user_id:
        raise HTTPException(403, "events are accepted for the logged-in user only")
    event = Event(
        event_id=body.event_id or uuid7(),
        user_id=user.user_id,
        event_type=f"user_activity_{body.action}",
        occurred_at=_aware(body.timestamp),
        path=body.path,
        label=body.label,
        payload=body.extra_data or {},
    )
    try:
        await _writer(runtime).write([event])
    except EventRefused as error:
        raise HTTPException(422, str(error)) from None
    return ActivityLogged(
        message="활동 로그가 저장되었습니다.",
        user_id=user.user_id,
        action=body.action,
        path=body.path,
        label=body.label,
        timestamp=body.timestamp,
        logged=True,
        event_id=event.event_id,
    )


def _writer(runtime: CurrentRuntime) -> EventWriter:
    if runtime.events is None:
        raise StartupError("this application was made without Part.EVENTS")
    return runtime.events


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=KST) if moment and moment.tzinfo is None else moment
