"""Queries of events in the landing table."""

from typing import Any

from sqlalchemy import Connection, Row, case, func, select, type_coerce

from serving.web.clock import LAST_INSTANT
from sql.types import UtcDateTime
from sql.warehouse.events import UserEvent


def latest(conn: Connection, user_id: int, limit: int) -> list[Row[Any]]:
    """Return the latest events of a user, newest first; ``occurred_at`` is NULL if it has no date in Korea."""
    newest = (UserEvent.received_at.desc(), UserEvent.event_id.desc())
    # In UTC, because near the first and last date the driver fails in other time zones.
    moment = type_coerce(func.timezone("UTC", UserEvent.occurred_at), UtcDateTime)
    occurred_at = case((UserEvent.occurred_at <= LAST_INSTANT, moment)).label("occurred_at")
    columns = (UserEvent.event_id, UserEvent.user_id, UserEvent.event_type, UserEvent.payload, UserEvent.received_at)
    query = select(*columns, occurred_at).where(UserEvent.user_id == user_id).order_by(*newest)
    return list(conn.execute(query.limit(limit)))
