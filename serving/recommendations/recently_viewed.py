"""What a user looked at last, from the events in the warehouse."""

from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from serving.catalog.mall import SOURCE as KOK
from serving.runtime.runtime import Runtime
from serving.web.auth import Identity
from serving.web.errors import log_reason
from sql.warehouse.event_types import EventType
from sql.warehouse.events import UserEvent

log = structlog.get_logger()

VIEWS = (
    EventType.KOK_PRODUCT_INFO_VIEW,
    EventType.HOMESHOPPING_PRODUCT_DETAIL_VIEW,
    EventType.RECIPE_DETAIL_VIEW,
)
RECIPES = "recipes"
# Enough for the latest few things of someone who looks at the same ones again and again.
NEWEST_EVENTS = 200
LATEST_VIEWS = 10


class Viewed(NamedTuple):
    """A product, or with the source ``recipes`` a recipe."""

    source: str
    number: int


def viewed_by(runtime: Runtime, user: Identity) -> list[Viewed]:
    """The things that a user looked at last, newest first.

    Nothing while the warehouse is away: what is popular still answers.
    """
    try:
        with runtime.warehouse.connect() as conn:
            return latest_views(conn, user.user_id, LATEST_VIEWS)
    except (OperationalError, PoolTimeoutError) as error:
        log.warning("views_unavailable", reason=log_reason(error))
        return []


def latest_views(conn: Connection, user_id: int, limit: int) -> list[Viewed]:
    """The things that a user looked at, each once, newest first."""
    newest = (UserEvent.received_at.desc(), UserEvent.event_id.desc())
    query = select(UserEvent.event_type, UserEvent.payload).where(
        UserEvent.user_id == user_id, UserEvent.event_type.in_(VIEWS)
    )
    rows = conn.execute(query.order_by(*newest).limit(NEWEST_EVENTS))
    viewed = (_viewed(event_type, payload) for event_type, payload in rows)
    return list(dict.fromkeys(thing for thing in viewed if thing))[:limit]


def _viewed(event_type: str, payload: dict[str, Any]) -> Viewed | None:
    """None for an event of that name that a client made up."""
    source, number = {
        EventType.KOK_PRODUCT_INFO_VIEW.value: (KOK, payload.get("kok_product_id")),
        EventType.RECIPE_DETAIL_VIEW.value: (RECIPES, payload.get("recipe_id")),
    }.get(event_type, (payload.get("product_source"), payload.get("product_id")))
    return Viewed(source, number) if isinstance(source, str) and type(number) is int else None
