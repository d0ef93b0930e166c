"""User events: the landing table of the API, the fact table of ingestion, and the quarantine."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, Index, String, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.types import UtcDateTime
from sql.warehouse.base import WarehouseBase


class UserEvent(WarehouseBase):
    """An event as the API acknowledged it."""

    __tablename__ = "user_event"
    __table_args__ = (
        Index(None, "user_id", "received_at"),
        {
            "comment": "Landing table of events, written and committed before they are acknowledged",
            "info": {"grain": "one row per event"},
        },
    )

    event_id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, comment="Given by the client, or UUIDv7 of the server"
    )
    received_at: Mapped[datetime] = mapped_column(
        UtcDateTime, index=True, comment="Stamped inside the writer's transaction"
    )
    occurred_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="Clock of the client, not trusted")
    user_id: Mapped[int | None] = mapped_column(BigInteger, comment="NULL for anonymous events")
    session_id: Mapped[str | None] = mapped_column(String(64), comment="Client session of anonymous events")
    event_type: Mapped[str] = mapped_column(String(100), comment="user_activity_<action> and the like")
    path: Mapped[str | None] = mapped_column(Text, comment="Page of the frontend")
    label: Mapped[str | None] = mapped_column(Text, comment="What was touched, in words")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Further fields of the event")


class FctUserEvent(WarehouseBase):
    """An event after ingestion; one partition a day."""

    __tablename__ = "fct_user_event"
    __table_args__ = (
        {
            "comment": "Events by KST day of arrival, one partition a day",
            "info": {"grain": "one row per event"},
            "postgresql_partition_by": "RANGE (day)",
        },
    )

    day: Mapped[date] = mapped_column(Date, primary_key=True, comment="KST date of received_at")
    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, comment="As in user_event")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the API stored the event")
    occurred_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="Clock of the client, not trusted")
    user_id: Mapped[int | None] = mapped_column(BigInteger, comment="NULL for anonymous events")
    session_id: Mapped[str | None] = mapped_column(String(64), comment="Client session of anonymous events")
    event_type: Mapped[str] = mapped_column(String(100), comment="user_activity_<action> and the like")
    path: Mapped[str | None] = mapped_column(Text, comment="Page of the frontend")
    label: Mapped[str | None] = mapped_column(Text, comment="What was touched, in words")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Further fields of the event")


class RejectedEvent(WarehouseBase):
    """An invalid event, stored whole with the reason."""

    __tablename__ = "rejected_event"
    __table_args__ = ({"comment": "Quarantine of events", "info": {"grain": "one row per rejected event"}},)

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, comment="As in user_event")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the API stored the event")
    reason: Mapped[str] = mapped_column(Text, comment="Why the event was not accepted")
    event: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The landed row")
