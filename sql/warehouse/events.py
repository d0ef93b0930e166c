"""User events: the landing table of the API, the fact table of ingestion, its position, and the quarantine."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, Index, String, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.types import UtcDateTime
from sql.warehouse.base import WarehouseBase


class UserEvent(WarehouseBase):
    """An event as the API acknowledged it."""

    __tablename__ = "user_event"
    __table_args__ = (
        Index(None, "user_id", "received_at"),
        Index(None, "transaction_id", "event_id"),
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
    # Assigned by the database, since received_at is stamped by clocks and before the commit.
    transaction_id: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("(pg_current_xact_id()::text::bigint)"),
        comment="Transaction that stored the event; gives the order of ingestion",
    )


class FctUserEvent(WarehouseBase):
    """An event after ingestion; one partition a day."""

    __tablename__ = "fct_user_event"
    __table_args__ = (
        # The erasure of deleted accounts looks for their events every hour, and an export reads those of a user in
        # order; anonymous ones need no entry.
        Index(None, "user_id", "day", "event_id", postgresql_where=text("user_id IS NOT NULL")),
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
    __table_args__ = (
        Index("ix_rejected_event_author_event_id", text("(event -> 'user_id')"), "event_id"),
        {"comment": "Quarantine of events", "info": {"grain": "one row per rejected event"}},
    )

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, comment="As in user_event")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True, comment="When the API stored the event")
    reason: Mapped[str] = mapped_column(Text, comment="Why the event was not accepted")
    event: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The landed row")


def rejected_author() -> ColumnElement[Any]:
    """Return the user of a rejected event as JSON, in the words of its index."""
    return RejectedEvent.event.op("->", return_type=JSONB())("user_id")


class IngestPosition(WarehouseBase):
    """How far ingestion is; empty before its first run."""

    __tablename__ = "ingest_position"
    __table_args__ = (
        {
            "comment": "How far the ingestion of events is, in the order of transactions",
            "info": {"grain": "at most one row"},
        },
    )

    cluster_id: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="System identifier of the PostgreSQL cluster whose transactions are counted",
    )
    transaction_id: Mapped[int] = mapped_column(BigInteger, comment="Transaction of the last event that was ingested")
    event_id: Mapped[UUID] = mapped_column(Uuid, comment="The last event of it that was ingested")
    resume_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Transaction at which to go on after a pass over all events; NULL outside of such a pass"
    )
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Wall clock of the last batch")
    landed_since: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="Landed events received before may have been deleted by maintenance; NULL: none was"
    )
