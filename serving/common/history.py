"""What a user searched for, in the service database; ``service`` is ``kok`` or ``home_shopping``."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from serving.common.accounts import require_account
from sql.service.users import SearchHistory


class Searched(NamedTuple):
    """A keyword and when it was searched for."""

    history_id: int
    user_id: int
    keyword: str
    searched_at: datetime


def save(conn: Connection, service: str, user_id: int, keyword: str, now: datetime) -> Searched:
    """Store a keyword; 401 when the account is gone."""
    require_account(conn, user_id)
    row = {"user_id": user_id, "service": service, "keyword": keyword, "searched_at": now}
    history_id = conn.execute(insert(SearchHistory).values(row).returning(SearchHistory.search_history_id)).scalar_one()
    return Searched(history_id, user_id, keyword, now)


def latest(conn: Connection, service: str, user_id: int, limit: int) -> list[Searched]:
    """The newest keywords of a user, newest first."""
    columns = (
        SearchHistory.search_history_id,
        SearchHistory.user_id,
        SearchHistory.keyword,
        SearchHistory.searched_at,
    )
    query = select(*columns).where(SearchHistory.user_id == user_id, SearchHistory.service == service)
    newest = (SearchHistory.searched_at.desc(), SearchHistory.search_history_id.desc())
    return [Searched(*row) for row in conn.execute(query.order_by(*newest).limit(limit))]


def forget(conn: Connection, service: str, user_id: int, history_id: int) -> bool:
    """Delete one keyword of a user; False when there is none of that id."""
    statement = delete(SearchHistory).where(
        SearchHistory.search_history_id == history_id,
        SearchHistory.user_id == user_id,
        SearchHistory.service == service,
    )
    return conn.execute(statement).rowcount > 0
