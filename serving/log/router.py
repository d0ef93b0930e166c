"""Event routes. An event is acknowledged after it is committed, never before."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import ValidationError

from serving.log import queries
from serving.log.schemas import (
    HTTP_CALL,
    Activity,
    ActivityBatch,
    ActivityLogged,
    BatchLogged,
    EventService,
    HttpCall,
    NewEvent,
    StoredEvent,
)
from serving.runtime.deps import CurrentRuntime, User, Visitor
from serving.runtime.event_writer import Event, EventIdTaken, EventRefused, new_event_id
from serving.runtime.runtime import Runtime
from serving.web.auth import Identity
from serving.web.client_address import client_address
from serving.web.errors import AWAY, INVALID, UNAUTHORIZED, described, unauthorized
from serving.web.json_body import JsonBody
from serving.web.parameters import Id
from serving.web.visitor_session import given_session
from sql.warehouse.event_types import CLIENT_EVENT_PREFIX
from ukok.korea import KST

router = APIRouter(prefix="/api/log/user", tags=["log"], responses=AWAY)

NEWEST = 50
STORED = "활동 로그가 저장되었습니다."
REFUSED = UNAUTHORIZED | described(403, "An event of another user", "events are accepted for the logged-in user only")
TAKEN = described(
    409,
    "The event_id of an event of another user",
    "another event has the event_id 0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55: give this one a new id",
)
ACTIVITY, BATCH = JsonBody(Activity, beacon=True), JsonBody(ActivityBatch, beacon=True)
EVENT = JsonBody(NewEvent)
TOO_MANY = described(
    429, "Too many events of the visitor; Retry-After says when", "too many events: try again in 20 seconds"
)
UserId = Annotated[Id, Path(description="The user of the token", examples=[7])]


@router.post(
    "/activity",
    status_code=201,
    response_model=ActivityLogged,
    responses=REFUSED | TAKEN | TOO_MANY | INVALID,
    openapi_extra=ACTIVITY.openapi(),
)
async def log_activity(request: Request, runtime: CurrentRuntime, visitor: Visitor) -> Response:
    """Store an event; the answer comes after its commit.

    With a token it is the user's. Without one it is anonymous, and `session_id` says which visitor it was. Sent again
    with the same `event_id` it is stored once. The `impression_id` of a click names the response that showed the item.
    `navigator.sendBeacon` may send the JSON as `text/plain`; it cannot send a token, so what it sends is anonymous.
    """
    body = await ACTIVITY.read(request)
    event = _event(body, _author(request, runtime, visitor), given_session(request.scope))
    answer = {
        "message": STORED,
        "user_id": event.user_id,
        "action": body.action,
        "path": body.path,
        "label": body.label,
        "timestamp": _kst(body.timestamp),
        "logged": True,
        "log_id": None,
        "error": None,
        "event_id": event.event_id,
    }
    return await _store(request, runtime, [event], answer)


@router.post(
    "/activity/batch",
    status_code=201,
    response_model=BatchLogged,
    responses=REFUSED | TAKEN | TOO_MANY | INVALID,
    openapi_extra=BATCH.openapi(),
)
async def log_batch(request: Request, runtime: CurrentRuntime, visitor: Visitor) -> Response:
    """Store many events in one transaction; the answer comes after its commit.

    One bad event refuses the whole batch, and the reason names its place. Events with an `event_id` may be sent again;
    within a batch one `event_id` means one event.
    """
    body = await BATCH.read(request)
    author = _author(request, runtime, visitor)
    session_id = given_session(request.scope)
    events = [_event(activity, author, session_id) for activity in body.events]
    ids = [event.event_id for event in events]
    answer = {"message": STORED, "logged": True, "count": len(set(ids)), "event_ids": ids}
    return await _store(request, runtime, events, answer)


@router.post(
    "/event",
    status_code=201,
    response_model=StoredEvent,
    responses=REFUSED | TOO_MANY | INVALID,
    openapi_extra=EVENT.openapi(),
)
async def log_event(request: Request, runtime: CurrentRuntime, user: User) -> Response:
    """Store an event of the logged-in user, with what is known of the call that it belongs to."""
    body = await EVENT.read(request)
    if body.user_id != user.user_id:
        raise HTTPException(403, "events are accepted for the logged-in user only")
    call = {
        "http_method": body.http_method,
        "api_url": body.api_url,
        "request_time": _kst(body.request_time),
        "response_time": _kst(body.response_time),
        "response_code": body.response_code,
    }
    known = {name: value for name, value in call.items() if value is not None}
    data: dict[str, Any] = orjson.loads(body.event_data or "{}")
    payload = data | ({HTTP_CALL: known} if known else {})
    event = Event(
        event_id=new_event_id(),
        user_id=user.user_id,
        event_type=body.event_type,
        occurred_at=body.request_time,
        path=body.api_url,
        payload=orjson.dumps(payload).decode(),
    )
    stored = {"log_id": None, "event_id": event.event_id, "user_id": user.user_id, "event_type": body.event_type}
    answer = stored | {"event_data": data} | call | {"client_ip": None, "created_at": _kst(runtime.clock())}
    return await _store(request, runtime, [event], answer)


@router.get("/event")
@router.get("/event/health")
async def events_health(runtime: CurrentRuntime) -> EventService:
    """Whether events can be stored right now."""
    return EventService(status=runtime.events.problem or "ok")


@router.get(
    "/event/{user_id}",
    responses=UNAUTHORIZED | described(403, "Another user", "events are shown to their own user only"),
)
def latest_events(runtime: CurrentRuntime, user: User, user_id: UserId) -> list[StoredEvent]:
    """The user's own latest 50 events, newest first."""
    if user_id != user.user_id:
        raise HTTPException(403, "events are shown to their own user only")
    with runtime.warehouse.connect() as conn:
        rows = queries.latest(conn, user.user_id, NEWEST)
    return [_stored_event(row) for row in rows]


def _author(request: Request, runtime: CurrentRuntime, visitor: Identity | None) -> Identity | None:
    """Return the user of the token, None without a token; an invalid one is refused rather than taken as anonymous."""
    header = request.headers.get("authorization")
    if visitor is None and header is not None:
        return runtime.auth.required(header)
    return visitor


def _event(body: Activity, author: Identity | None, given_session_id: str | None) -> Event:
    user_id = author.user_id if author else None
    session_id = body.session_id or (given_session_id if author is None else None)
    if user_id is None and (session_id is None or body.user_id is not None):
        raise unauthorized("log in first, or give a session_id")
    if body.user_id is not None and body.user_id != user_id:
        raise HTTPException(403, "events are accepted for the logged-in user only")
    return Event(
        event_id=str(body.event_id) if body.event_id else new_event_id(),
        user_id=user_id,
        event_type=f"{CLIENT_EVENT_PREFIX}{body.action}",
        occurred_at=body.timestamp,
        session_id=session_id,
        path=body.path,
        label=body.label,
        payload=_payload(body),
    )


def _payload(body: Activity) -> str:
    payload = body.extra_data or "{}"
    if body.impression_id is None:
        return payload
    return orjson.dumps(orjson.loads(payload) | {"impression_id": str(body.impression_id)}).decode()


async def _store(request: Request, runtime: Runtime, events: list[Event], answer: dict[str, Any]) -> Response:
    """Store events and answer; the answer is encoded first, so that nothing can fail after the commit."""
    response = Response(orjson.dumps(answer), 201, media_type="application/json")
    try:
        with runtime.event_quotas.counted(events, client_address(request.scope)):
            await runtime.events.write(events)
    except EventRefused as error:
        raise HTTPException(422, str(error)) from None
    except EventIdTaken as error:
        raise HTTPException(409, str(error)) from None
    return response


def _stored_event(row: Any) -> StoredEvent:  # noqa: ANN401 - a row of user_event
    data = dict(row.payload)
    try:
        call = HttpCall.model_validate(data.get(HTTP_CALL) or None)
        del data[HTTP_CALL]
    except ValidationError:
        call = HttpCall()
    return StoredEvent(
        log_id=None,
        event_id=row.event_id,
        user_id=row.user_id,
        event_type=row.event_type,
        event_data=data,
        http_method=call.http_method,
        api_url=call.api_url,
        request_time=row.occurred_at,
        response_time=call.response_time,
        response_code=call.response_code,
        created_at=row.received_at,
    )


def _kst(moment: datetime | None) -> str | None:
    return moment.astimezone(KST).replace(tzinfo=None).isoformat() if moment else None
