"""Reading events back from the landing table."""

from typing import Any

from sqlalchemy import Connection, Row, select

from sql.warehouse.events import UserEvent


def latest(conn: Connection, user_id: int, limit: int) -> list[Row[Any]]:
    """The newest events of a user, newest first."""
    newest = (UserEvent.received_at.desc(), UserEvent.event_id.desc())
    query = select(UserEvent.__table__).where(UserEvent.user_id == user_id).order_by(*newest)
    return list(conn.execute(query.limit(limit)))
