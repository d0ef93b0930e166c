"""Bodies of the event routes."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from serving.common.deps import STORABLE
from serving.log.writer import storable

LONGEST_ACTION = 80


def _storable(payload: dict[str, Any]) -> dict[str, Any]:
    if not storable(payload):
        raise ValueError("holds a value that cannot be stored")
    return payload


class Activity(BaseModel):
    """Something that a user did in the frontend."""

    action: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ACTION), STORABLE] = Field(
        examples=["navigation_click"]
    )
    path: Annotated[str, StringConstraints(max_length=2000), STORABLE] | None = Field(default=None, examples=["/kok"])
    label: Annotated[str, StringConstraints(max_length=2000), STORABLE] | None = Field(
        default=None, examples=["콕 쇼핑몰"]
    )
    timestamp: datetime | None = Field(default=None, description="Clock of the client; without an offset it is KST")
    user_id: int | None = Field(default=None, description="Must be the user of the token, if given")
    extra_data: Annotated[dict[str, Any], AfterValidator(_storable)] | None = None
    event_id: UUID | None = Field(default=None, description="Makes a repeated call harmless")


class ActivityLogged(BaseModel):
    """The event is committed."""

    message: str
    user_id: int
    action: str
    path: str | None
    label: str | None
    timestamp: datetime | None
    logged: bool
    log_id: int | None = None
    error: str | None = None
    event_id: UUID
