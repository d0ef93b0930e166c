"""Events in the landing table, and the facts that became of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert, select

from pipelines.logs.tables import FACT, LANDED


def an_event(received_at: datetime, **changes: Any) -> dict[str, Any]:
    """Return a row of the landing table with a new id."""
    event = {"event_id": uuid4(), "received_at": received_at, "event_type": "user_activity_user_login"}
    return event | {"user_id": 7, "path": "/kok", "label": "콕 🍣", "payload": {"keyword": "감자"}} | changes


def land(warehouse: Engine, received_at: datetime, **changes: Any) -> UUID:
    """Store an event in the landing table; return its id."""
    event = an_event(received_at, **changes)
    with warehouse.begin() as conn:
        conn.execute(insert(LANDED).values(event))
    return UUID(str(event["event_id"]))


def facts(warehouse: Engine) -> dict[UUID, date]:
    """Return the day of each event in the fact table."""
    with warehouse.connect() as conn:
        return dict(conn.execute(select(FACT.c.event_id, FACT.c.day)).all())
