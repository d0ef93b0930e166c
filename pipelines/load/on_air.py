"""Shows on air whose start the page hides: which show it is that ends then."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Table, select

from crawlers.items import Show
from pipelines.load.intake import Intake

LONGEST_SHOW = timedelta(days=1)


class _Known(NamedTuple):
    """A show with its start, and whether it was thought to be on."""

    channel_id: int
    starts_at: datetime
    ends_at: datetime
    product_id: int
    on: bool


def find_starts(conn: Connection, table: Table, shows: Sequence[Show], intake: Intake) -> list[Show]:
    """The shows with every start filled in; one whose start cannot be told is rejected.

    A show without a start is the known one of its channel with the same end and product, else any known one with the
    same end, else it began where the show before it ended. Known are the shows in ``table`` and in ``shows``.
    """
    on_air = [show for show in shows if show.starts_at is None]
    if not on_air:
        return list(shows)
    known = [*_listed(shows), *_stored(conn, table, on_air)]
    found = []
    for show in shows:
        start = show.starts_at or _start(show, known)
        if start is None:
            intake.reject(show, "on air since an unknown time", f"no show before it on channel {show.channel_id}")
        else:
            found.append(show.model_copy(update={"starts_at": start}))
    return found


def _start(show: Show, known: Sequence[_Known]) -> datetime | None:
    # What ends no later than the show on air began before it or is it; the clock of a backdated crawl plays no part.
    begun = [other for other in known if other.channel_id == show.channel_id and other.ends_at <= show.ends_at]
    same = [other for other in begun if other.ends_at == show.ends_at]
    if same:
        return max(same, key=lambda other: (other.product_id == show.source_product_id, other.on, other.starts_at))[1]
    return max((other.ends_at for other in begun if other.on and other.ends_at < show.ends_at), default=None)


def _listed(shows: Sequence[Show]) -> list[_Known]:
    return [
        _Known(show.channel_id, show.starts_at, show.ends_at, show.source_product_id, on=True)
        for show in shows
        if show.starts_at is not None
    ]


def _stored(conn: Connection, table: Table, on_air: Sequence[Show]) -> list[_Known]:
    column = table.c
    statement = select(
        column.channel_id, column.starts_at, column.ends_at, column.source_product_id, column.cancelled_at.is_(None)
    ).where(
        column.channel_id.in_({show.channel_id for show in on_air}),
        column.ends_at > min(show.ends_at for show in on_air) - LONGEST_SHOW,
        column.starts_at < max(show.ends_at for show in on_air),
    )
    return [_Known(*row) for row in conn.execute(statement)]
