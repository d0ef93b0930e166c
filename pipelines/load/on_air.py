"""Shows on air whose start the page hides: which show it is that ends then."""

from collections import defaultdict
from collections.abc import Collection, Sequence
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

    What is on air on one channel until the same instant is one show. It is the known one with that end, preferably with
    a product of its own; else the known one of its products that began after the show before it, and whose end has
    moved; else it began where the show before it ended. Known are the shows in ``table`` and in ``shows``.
    """
    on_air = [show for show in shows if show.starts_at is None]
    if not on_air:
        return list(shows)
    listed, stored = _listed(shows), _stored(conn, table, on_air)
    products: dict[tuple[int, datetime], set[int]] = defaultdict(set)
    for show in on_air:
        products[show.channel_id, show.ends_at].add(show.source_product_id)
    starts = {
        (channel_id, ends_at): _start(
            ends_at,
            own,
            [s for s in listed if s.channel_id == channel_id],
            [s for s in stored if s.channel_id == channel_id],
        )
        for (channel_id, ends_at), own in products.items()
    }
    found = []
    for show in shows:
        start = show.starts_at or starts[show.channel_id, show.ends_at]
        if start is None:
            intake.reject(show, "on air since an unknown time", f"no show before it on channel {show.channel_id}")
        else:
            found.append(show.model_copy(update={"starts_at": start}))
    return found


def _start(
    ends_at: datetime, own: Collection[int], listed: Sequence[_Known], stored: Sequence[_Known]
) -> datetime | None:
    # What ends no later than the show on air began before it or is it; the clock of a backdated crawl plays no part.
    same_end = [show for show in (*listed, *stored) if show.ends_at == ends_at]
    if same_end:
        return max(same_end, key=lambda show: (show.product_id in own, show.on, show.starts_at)).starts_at
    others = [show for show in stored if show.on and show.product_id not in own]
    before = _last_end(listed, ends_at) or _last_end(others, ends_at)
    moved = [
        show.starts_at
        for show in stored
        if show.on and show.product_id in own and show.starts_at < ends_at and (not before or show.starts_at >= before)
    ]
    return max(moved, default=before)


def _last_end(shows: Sequence[_Known], before: datetime) -> datetime | None:
    return max((show.ends_at for show in shows if show.ends_at < before), default=None)


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
