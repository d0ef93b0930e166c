"""What a user viewed last, from the events in the warehouse."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from recommender.product_ref import KOK, ProductRef
from serving.runtime.runtime import Runtime
from serving.web.auth import Identity
from serving.web.errors import log_reason
from sql.warehouse.events import UserEvent

log = structlog.get_logger()

VIEWS = ("kok_product_info_view", "homeshopping_product_detail_view", "recipe_detail_view")
# Enough events to find the latest distinct views of a user who returns to the same pages.
NEWEST_EVENTS = 200
LATEST_VIEWS = 50


class RecipeRef(NamedTuple):
    """A recipe by its id on the recipe site."""

    recipe_id: int


Viewed = ProductRef | RecipeRef


class View(NamedTuple):
    """What was viewed, and when it was last."""

    ref: Viewed
    at: datetime


def viewed_by(runtime: Runtime, user: Identity) -> list[View]:
    """Products and recipes that a user viewed, newest first; none while the warehouse is unavailable."""
    try:
        with runtime.warehouse.connect() as conn:
            return latest_views(conn, user.user_id, LATEST_VIEWS)
    except (OperationalError, PoolTimeoutError) as error:
        log.warning("views_unavailable", reason=log_reason(error))
        return []


def latest_views(conn: Connection, user_id: int, limit: int) -> list[View]:
    """Read the products and recipes that a user viewed, each once, newest first."""
    newest = (UserEvent.received_at.desc(), UserEvent.event_id.desc())
    query = select(UserEvent.received_at, UserEvent.event_type, UserEvent.payload).where(
        UserEvent.user_id == user_id, UserEvent.event_type.in_(VIEWS)
    )
    rows = conn.execute(query.order_by(*newest).limit(NEWEST_EVENTS))
    latest: dict[Viewed, View] = {}
    for received_at, event_type, payload in rows:
        if ref := _viewed(event_type, payload):
            latest.setdefault(ref, View(ref, received_at))
    return list(latest.values())[:limit]


def _viewed(event_type: str, payload: Mapping[str, Any]) -> Viewed | None:
    """What an event viewed; None for an event with another payload, which a client may send."""
    match event_type, payload:
        case "recipe_detail_view", {"recipe_id": recipe_id} if type(recipe_id) is int:
            return RecipeRef(recipe_id)
        case "kok_product_info_view", {"kok_product_id": product_id} if type(product_id) is int:
            return ProductRef(KOK, product_id)
        case "homeshopping_product_detail_view", {"product_source": str(source), "product_id": product_id} if (
            type(product_id) is int
        ):
            return ProductRef(source, product_id)
    return None
