"""Everything that is stored of a user, read in pages, so that neither memory nor a transaction grows with it.

Pages of events are in the order of an index, so that the time of a page does not grow with the events of the user.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    Dialect,
    Engine,
    RowMapping,
    Select,
    Text,
    TypeDecorator,
    case,
    cast,
    exists,
    func,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from serving.web.clock import LAST_INSTANT
from sql.service.users import LoginSession, RecipeRating, SearchHistory
from sql.timeouts import set_timeouts
from sql.types import UtcDateTime
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent, rejected_author
from ukok.korea import KST

PAGE_ROWS = 1000
# Of a page, which an index gives in order; MariaDB's driver closes connections that are silent for longer.
PAGE_SECONDS = 5
KEY = "key_"


class JsonText(TypeDecorator[orjson.Fragment]):
    """JSON as the database writes it, which may hold numbers beyond 64 bits, to be written as it is."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> orjson.Fragment | None:
        return None if value is None else orjson.Fragment(value)


class Part(NamedTuple):
    """Rows of a list of the export, and the unique columns that put them in order."""

    query: Select[*tuple[Any, ...]]
    key: Sequence[InstrumentedAttribute[Any]]


def export(service: Engine, warehouse: Engine, user_id: int, account: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the JSON object of everything that is stored of a user; times are Korean without an offset."""
    yield b'{"account":' + _encode(account)
    lists = (
        ("ratings", service, [_ratings(user_id)]),
        ("searches", service, [_searches(user_id)]),
        ("logins", service, [_logins(user_id)]),
        ("events", warehouse, _events(user_id)),
        ("rejected_events", warehouse, [_rejected(user_id)]),
    )
    for name, engine, parts in lists:
        before = f',"{name}":['.encode()
        for part in parts:
            for rows in _pages(engine, part):
                yield before + b",".join(_encode(dict(row)) for row in rows)
                before = b","
        yield b"]" if before == b"," else before + b"]"
    yield b"}"


def _ratings(user_id: int) -> Part:
    columns = (RecipeRating.recipe_id, RecipeRating.rating, RecipeRating.rated_at)
    return Part(select(*columns).where(RecipeRating.user_id == user_id), [RecipeRating.recipe_id])


def _searches(user_id: int) -> Part:
    columns = (SearchHistory.service, SearchHistory.keyword, SearchHistory.searched_at)
    return Part(select(*columns).where(SearchHistory.user_id == user_id), [SearchHistory.search_history_id])


def _logins(user_id: int) -> Part:
    columns = (
        LoginSession.session_id.label("login_id"),
        LoginSession.started_at,
        LoginSession.last_used_at,
        LoginSession.device,
        LoginSession.revoked_at.label("ended_at"),
    )
    return Part(select(*columns).where(LoginSession.user_id == user_id), [LoginSession.session_id])


def _events(user_id: int) -> list[Part]:
    """Return the events that landed, then those that were ingested and are no longer there.

    An event that is ingested meanwhile stays where it landed for days, so none is missed between the two.
    """
    landed = exists().where(UserEvent.event_id == FctUserEvent.event_id)
    return [
        Part(_of_table(UserEvent, user_id), [UserEvent.received_at, UserEvent.event_id]),
        Part(_of_table(FctUserEvent, user_id).where(~landed), [FctUserEvent.day, FctUserEvent.event_id]),
    ]


def _of_table(table: type[UserEvent] | type[FctUserEvent], user_id: int) -> Select[*tuple[Any, ...]]:
    # In UTC, because near the first and last date the driver fails in other time zones.
    moment = type_coerce(func.timezone("UTC", table.occurred_at), UtcDateTime)
    occurred_at = case((table.occurred_at <= LAST_INSTANT, moment)).label("occurred_at")
    columns = (table.event_id, table.event_type, table.received_at, occurred_at)
    words = (table.session_id, table.path, table.label, cast(table.payload, JsonText).label("payload"))
    return select(*columns, *words).where(table.user_id == user_id)


def _rejected(user_id: int) -> Part:
    landed = exists().where(UserEvent.event_id == RejectedEvent.event_id)
    theirs = rejected_author() == func.to_jsonb(user_id)
    event = cast(RejectedEvent.event, JsonText).label("event")
    columns = (RejectedEvent.event_id, RejectedEvent.received_at, event)
    return Part(select(*columns).where(theirs, ~landed), [RejectedEvent.event_id])


def _pages(engine: Engine, part: Part) -> Iterator[Sequence[RowMapping]]:
    """Read page after page, each in a transaction of its own: ingestion waits for old ones."""
    page = _page(part)
    while True:
        with engine.connect() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(text(set_timeouts(PAGE_SECONDS)))
            rows = conn.execute(page).mappings().all()
        if rows:
            yield rows
        if len(rows) < PAGE_ROWS:
            return
        page = _page(part, rows[-1])


def _page(part: Part, last: RowMapping | None = None) -> Select[*tuple[Any, ...]]:
    """Return the query of the rows that follow ``last``."""
    keys = {f"{KEY}{place}": column for place, column in enumerate(part.key)}
    query = part.query.add_columns(*(column.label(name) for name, column in keys.items()))
    if last is not None:
        query = query.where(tuple_(*part.key) > tuple(last[name] for name in keys))
    return query.order_by(*part.key).limit(PAGE_ROWS)


def _encode(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps({name: _kst(value) for name, value in row.items() if not name.startswith(KEY)})


def _kst(value: Any) -> Any:  # noqa: ANN401 - a value of a column
    return value.astimezone(KST).replace(tzinfo=None) if isinstance(value, datetime) else value
