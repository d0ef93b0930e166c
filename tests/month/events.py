"""Events that the API would have stored, and whether ingestion has taken in each of them."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, insert, select

from pipelines.load.ledger import table_of
from sql.warehouse import events

LANDED, FACT = table_of(events.UserEvent), table_of(events.FctUserEvent)
REJECTED = table_of(events.RejectedEvent)
INVALID = 20  # one in so many has no type


def post_events(warehouse: Engine, dice: random.Random, until: datetime, count: int) -> None:
    """Store events received in the three hours before an instant."""
    rows: list[dict[str, Any]] = [
        {
            "event_id": UUID(int=dice.getrandbits(128), version=4),
            "received_at": until - timedelta(seconds=dice.uniform(1, 10_800)),
            "occurred_at": None,
            "user_id": dice.choice((None, 1, 2, 3)),
            "session_id": "month",
            "event_type": "" if number % INVALID == 0 else "user_activity_click",
            "path": "/main/kok",
            "label": None,
            "payload": {},
        }
        for number in range(count)
    ]
    with warehouse.begin() as conn:
        conn.execute(insert(LANDED), rows)


def count_events(warehouse: Engine) -> tuple[int, int]:
    """Return how many events have landed, and how many of them are facts or rejected."""
    with warehouse.connect() as conn:
        landed, facts, rejected = (
            conn.scalar(select(func.count()).select_from(table)) or 0 for table in (LANDED, FACT, REJECTED)
        )
    return landed, facts + rejected
