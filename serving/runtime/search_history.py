"""What a user searched for, in the service database: what the routes of the services that keep it have in common."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from serving.runtime.accounts import require_account
from serving.runtime.runtime import Runtime
from serving.web.auth import Identity
from serving.web.errors import not_found
from sql.service.users import SearchHistory


class Service(NamedTuple):
    """A service as its rows name it, and as its events and fields begin."""

    name: str
    prefix: str


KOK = Service("kok", "kok")
HOME_SHOPPING = Service("home_shopping", "homeshopping")


class Searched(NamedTuple):
    """A keyword and when it was searched for."""

    history_id: int
    user_id: int
    keyword: str
    searched_at: datetime


def save(runtime: Runtime, service: Service, user: Identity, keyword: str) -> Searched:
    """Store a keyword; 401 when the account is gone."""
    now = runtime.clock()
    row = {"user_id": user.user_id, "service": service.name, "keyword": keyword, "searched_at": now}
    statement = insert(SearchHistory).values(row).returning(SearchHistory.search_history_id)
    with runtime.service_db.begin() as conn:
        require_account(conn, user.user_id)
        history_id = conn.execute(statement).scalar_one()
    runtime.record_event(user.user_id, f"{service.prefix}_search_history_save", {"keyword": keyword})
    return Searched(history_id, user.user_id, keyword, now)


def latest(runtime: Runtime, service: Service, user: Identity, limit: int) -> list[Searched]:
    """The newest keywords of a user, newest first."""
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
    runtime.record_event(user.user_id, f"{service.prefix}_search_history_view", {"count": len(rows)})
    return rows


def forget(runtime: Runtime, service: Service, user: Identity, history_id: int) -> None:
    """Delete one keyword of a user; 404 when there is none of that id."""
    statement = delete(SearchHistory).where(
        SearchHistory.search_history_id == history_id,
        SearchHistory.user_id == user.user_id,
        SearchHistory.service == service.name,
    )
    with runtime.service_db.begin() as conn:
        found = conn.execute(statement).rowcount > 0
    if not found:
        raise not_found(f"search history {history_id}")
    deleted = {f"{service.prefix}_history_id": history_id}
    runtime.record_event(user.user_id, f"{service.prefix}_search_history_delete", deleted)
