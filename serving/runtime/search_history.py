"""Search history of users in the service database, shared by the services that have one."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from serving.runtime.accounts import require_account
from serving.runtime.runtime import Runtime
from serving.web.auth import Identity
from serving.web.errors import not_found
from sql.service.users import SearchHistory
from sql.warehouse.event_types import (
    EventPayload,
    HomeshoppingSearchHistoryDelete,
    HomeshoppingSearchHistorySave,
    HomeshoppingSearchHistoryView,
    KokSearchHistoryDelete,
    KokSearchHistorySave,
    KokSearchHistoryView,
)


class Service(NamedTuple):
    """A service by its name in the table, and the events that it records."""

    name: str
    saved: Callable[[str], EventPayload]
    viewed: Callable[[int], EventPayload]
    deleted: Callable[[int], EventPayload]


KOK = Service(
    "kok",
    saved=lambda keyword: KokSearchHistorySave(keyword=keyword),
    viewed=lambda count: KokSearchHistoryView(count=count),
    deleted=lambda history_id: KokSearchHistoryDelete(kok_history_id=history_id),
)
HOME_SHOPPING = Service(
    "home_shopping",
    saved=lambda keyword: HomeshoppingSearchHistorySave(keyword=keyword),
    viewed=lambda count: HomeshoppingSearchHistoryView(count=count),
    deleted=lambda history_id: HomeshoppingSearchHistoryDelete(homeshopping_history_id=history_id),
)


class Searched(NamedTuple):
    """A keyword and when it was searched for."""

    history_id: int
    user_id: int
    keyword: str
    searched_at: datetime


def save(runtime: Runtime, service: Service, user: Identity, keyword: str) -> Searched:
    """Store a keyword; 401 when the account no longer exists."""
    now = runtime.clock()
    row = {"user_id": user.user_id, "service": service.name, "keyword": keyword, "searched_at": now}
    statement = insert(SearchHistory).values(row).returning(SearchHistory.search_history_id)
    with runtime.service_db.begin() as conn:
        require_account(conn, user.user_id)
        history_id = conn.execute(statement).scalar_one()
    runtime.record_event(user.user_id, service.saved(keyword))
    return Searched(history_id, user.user_id, keyword, now)


def latest(runtime: Runtime, service: Service, user: Identity, limit: int) -> list[Searched]:
    """Return the latest keywords of a user, newest first."""
    columns = (
        SearchHistory.search_history_id,
        SearchHistory.user_id,
        SearchHistory.keyword,
        SearchHistory.searched_at,
    )
    query = select(*columns).where(SearchHistory.user_id == user.user_id, SearchHistory.service == service.name)
    newest = (SearchHistory.searched_at.desc(), SearchHistory.search_history_id.desc())
    with runtime.service_db.connect() as conn:
        rows = [Searched(*row) for row in conn.execute(query.order_by(*newest).limit(limit))]
    runtime.record_event(user.user_id, service.viewed(len(rows)))
    return rows


def forget(runtime: Runtime, service: Service, user: Identity, history_id: int) -> None:
    """Delete one keyword of a user; 404 when the user has none with that id."""
    statement = delete(SearchHistory).where(
        SearchHistory.search_history_id == history_id,
        SearchHistory.user_id == user.user_id,
        SearchHistory.service == service.name,
    )
    with runtime.service_db.begin() as conn:
        found = conn.execute(statement).rowcount > 0
    if not found:
        raise not_found(f"search history {history_id}")
    runtime.record_event(user.user_id, service.deleted(history_id))
