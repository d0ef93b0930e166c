"""Bodies of the event routes."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from serving.web.clock import LAST_INSTANT, KstDateTime
from serving.web.parameters import Id
from serving.web.visitor_session import LONGEST_SESSION_ID, SESSION_ID
from sql.warehouse.event_types import RECORDED_BY_API
from ukok.korea import KST

LONGEST_ACTION = 80
LARGEST_BATCH = 1_000
# Key of a payload for the fields of a call in POST /event.
HTTP_CALL = "http_call"


def _encoded(payload: object) -> str:
    """Return an object as the JSON that is stored: encoded once, where it is checked."""
    if not isinstance(payload, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - pydantic turns a ValueError into a validation error
    if HTTP_CALL in payload:
        raise ValueError(f"may not have the key {HTTP_CALL}, which is kept for the fields of a call in POST /event")
    try:
        encoded = orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"holds a value that cannot be stored: {error}") from None
    # A pair of backslashes is an escaped backslash, and what follows it is no escape.
    if b"\\u0000" in encoded and b"\\u0000" in encoded.replace(rb"\\", b""):
        raise ValueError("holds a NUL character, which cannot be stored")
    # orjson writes floats beyond 64 bits with an exponent, NaN and infinity as null.
    if (b"e+" in encoded or b"null" in encoded) and _exceeds_64_bits(payload):
        raise ValueError("holds a number beyond 64 bits, whose digits would be lost: send it as text")
    return encoded.decode()


def _exceeds_64_bits(value: object) -> bool:
    """Whether a float in the value is so large, or no number."""
    if isinstance(value, dict):
        return any(_exceeds_64_bits(member) for member in value.values())
    if isinstance(value, list):
        return any(_exceeds_64_bits(member) for member in value)
    return isinstance(value, float) and not abs(value) < 2**63


def _date_time(value: object) -> object:
    """Accept only text that begins with a year; pydantic would read a number as seconds since 1970."""
    if isinstance(value, str) and value[4:5] == "-":
        return value
    raise ValueError("is not a date and time such as 2025-08-06T12:00:00+09:00")


def _utc(moment: datetime) -> datetime:
    try:
        instant = (moment if moment.tzinfo else moment.replace(tzinfo=KST)).astimezone(UTC)
    except OverflowError:
        raise ValueError("is no time that can be stored") from None
    if instant > LAST_INSTANT:
        raise ValueError("is no time that can be shown in Korea")
    return instant


def _of_client(event_type: str) -> str:
    """Refuse the events by which the API reports what a release has shown and where it failed."""
    if event_type in RECORDED_BY_API:
        raise ValueError(f"may not be {event_type}, which only the API records")
    return event_type


# NUL, which no database stores. A pattern, because a validator function for every text would be slower.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
Payload = Annotated[
    str, BeforeValidator(_encoded), WithJsonSchema({"type": "object", "additionalProperties": True}, mode="validation")
]
Moment = Annotated[datetime, BeforeValidator(_date_time), AfterValidator(_utc)]
SessionId = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SESSION_ID, pattern=SESSION_ID)]


class Activity(BaseModel):
    """Something that a visitor did in the frontend; other fields are not stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"action": "navigation_click", "path": "/kok", "label": "콕 쇼핑몰"},
                {
                    "action": "recommendation_click",
                    "path": "/homeshopping/product/7",
                    "label": "포슬포슬 감자조림",
                    "timestamp": "2025-08-06T22:41:07+09:00",
                    "user_id": 7,
                    "session_id": "b7d0c1f2",
                    "event_id": "0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55",
                    "impression_id": "0198a3c2-4f3e-7d05-8c11-92ab40e1c7d3",
                    "extra_data": {"recipe_id": 9001, "position": 2, "release_version": "20250806T030000Z-3f2a9c01d7"},
                },
            ]
        }
    )

    action: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ACTION, pattern=NO_NUL)]
    path: Text | None = Field(default=None, description="Page of the frontend")
    label: Text | None = Field(default=None, description="What was touched, in words")
    timestamp: Moment | None = Field(default=None, description="Clock of the client; without an offset it is KST")
    user_id: Id | None = Field(default=None, description="Must be the user of the token, if given")
    session_id: SessionId | None = Field(
        default=None,
        description="Session of the client; identifies the visitor without a token. By default that of the header "
        "`X-Session-ID` or of the cookie `ukok_session`",
    )
    impression_id: UUID | None = Field(
        default=None, description="Header `X-Impression-ID` of the response that showed what was chosen"
    )
    extra_data: Payload | None = Field(default=None, description="Further fields, such as ids and positions")
    event_id: UUID | None = Field(default=None, description="Makes a repeated call harmless; generated if not given")


class ActivityLogged(BaseModel):
    """The event is committed."""

    message: str = Field(examples=["활동 로그가 저장되었습니다."])
    user_id: int | None = Field(description="null for an anonymous visitor", examples=[7])
    action: str = Field(examples=["navigation_click"])
    path: str | None = Field(examples=["/kok"])
    label: str | None = Field(examples=["콕 쇼핑몰"])
    timestamp: KstDateTime | None = Field(
        description="Clock of the client, as the time in Korea without an offset", examples=["2025-08-06T22:41:07"]
    )
    logged: Literal[True]
    log_id: int | None = Field(description="Always null: events are known by event_id", examples=[None])
    error: str | None = Field(
        description="Always null: an event that is not stored is answered with an error status", examples=[None]
    )
    event_id: UUID = Field(examples=["0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55"])


def _agreeing(events: list[Activity]) -> list[Activity]:
    """Refuse different events with one id, of which only the first could be stored."""
    places: dict[UUID, int] = {}
    for place, event in enumerate(events):
        if event.event_id is not None:
            first = places.setdefault(event.event_id, place)
            if first != place and events[first] != event:
                raise ValueError(f"the events at {first} and {place} are different and have the same event_id")
    return events


class ActivityBatch(BaseModel):
    """Events that are stored together or not at all."""

    events: Annotated[list[Activity], Field(min_length=1, max_length=LARGEST_BATCH), AfterValidator(_agreeing)]


class BatchLogged(BaseModel):
    """The events are committed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "message": "활동 로그가 저장되었습니다.",
                "logged": True,
                "count": 2,
                "event_ids": ["0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55", "0198a3c2-5a11-7cc2-9d61-3f3b1d2a4e56"],
            }
        }
    )

    message: str = Field(examples=["활동 로그가 저장되었습니다."])
    logged: Literal[True]
    count: int = Field(description="Distinct events of the batch, those that were stored before included")
    event_ids: list[UUID] = Field(description="In the order of the events")


class NewEvent(BaseModel):
    """An event of the logged-in user, with the API call that it belongs to."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "user_id": 7,
                "event_type": "recipe_detail_view",
                "event_data": {"recipe_id": 9001},
                "http_method": "GET",
                "api_url": "/api/recipes/9001",
                "request_time": "2025-08-06T22:41:07+09:00",
                "response_time": "2025-08-06T22:41:08+09:00",
                "response_code": 200,
                "client_ip": "203.0.113.7",
            }
        }
    )

    user_id: Id = Field(description="Must be the user of the token")
    event_type: Annotated[
        str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL), AfterValidator(_of_client)
    ] = Field(
        description="Any but recommendations, `answer_failed` and `release_refused`, which only the API records",
        examples=["recipe_detail_view"],
    )
    event_data: Payload | None = Field(default=None, examples=[{"recipe_id": 9001}])
    http_method: Annotated[str, StringConstraints(max_length=10, pattern=NO_NUL)] | None = None
    api_url: Text | None = None
    request_time: Moment | None = Field(default=None, description="Without an offset it is KST")
    response_time: Moment | None = Field(default=None, description="Without an offset it is KST")
    response_code: int | None = Field(default=None, ge=0, le=999)
    client_ip: str | None = Field(default=None, description="Accepted and not stored: addresses are personal data")


class HttpCall(BaseModel):
    """Fields of a call in a payload; under its key, older payloads may hold other data of a client."""

    model_config = ConfigDict(extra="forbid")

    http_method: str | None = None
    api_url: str | None = None
    request_time: Moment | None = None
    response_time: Moment | None = None
    response_code: StrictInt | None = None


class StoredEvent(BaseModel):
    """An event as it is stored."""

    log_id: int | None = Field(description="Always null: events are known by event_id", examples=[None])
    event_id: UUID = Field(examples=["0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55"])
    user_id: int = Field(examples=[7])
    event_type: str = Field(examples=["recipe_detail_view"])
    event_data: dict[str, Any] = Field(examples=[{"recipe_id": 9001}])
    http_method: str | None = Field(examples=["GET"])
    api_url: str | None = Field(examples=["/api/recipes/9001"])
    request_time: KstDateTime | None = Field(
        description="Time in Korea, without an offset, like the other times", examples=["2025-08-06T22:41:07"]
    )
    response_time: KstDateTime | None = Field(examples=["2025-08-06T22:41:08"])
    response_code: int | None = Field(examples=[200])
    client_ip: None = Field(default=None, description="Always null: addresses are personal data", examples=[None])
    created_at: KstDateTime = Field(description="When it was received", examples=["2025-08-06T22:41:08"])


class EventService(BaseModel):
    """State of the event service."""

    service: Literal["log"] = "log"
    status: str = Field(description="`ok`, or why events cannot be stored right now", examples=["ok"])
