"""Find the start of shows that are on air, which pages do not show."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Table, select

from crawlers.items import Show
from pipelines.load.item_validator import ItemValidator

LONGEST_SHOW = timedelta(days=1)


class _KnownShow(NamedTuple):
    """A show with a known start; ``scheduled``: not cancelled."""

    channel_id: int
    starts_at: datetime
    ends_at: datetime
    product_id: int
    scheduled: bool


def find_starts(conn: Connection, table: Table, shows: Sequence[Show], validator: ItemValidator) -> list[Show]:
    """Return the shows with every start filled in; reject those whose start cannot be determined.

    Rows on air on one channel until the same instant are one show. Its start is that of the known show (in ``table`` or
    ``shows``) with the same end, preferably one with the same product; else that of a known show with the same product
    whose end has moved and that began after the previous show; else the end of the previous show.
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
            validator.reject(show, "on air since an unknown time", f"no show before it on channel {show.channel_id}")
        else:
            found.append(show.model_copy(update={"starts_at": start}))
    return found


def _start(
    ends_at: datetime, own: Collection[int], listed: Sequence[_KnownShow], stored: Sequence[_KnownShow]
) -> datetime | None:
    # A show that ends no later than the one on air began before it or is the same; no clock is read.
    same_end = [show for show in (*listed, *stored) if show.ends_at == ends_at]
    if same_end:
        return max(same_end, key=lambda show: (show.product_id in own, show.scheduled, show.starts_at)).starts_at
    others = [show for show in stored if show.scheduled and show.product_id not in own]
    before = _last_end(listed, ends_at) or _last_end(others, ends_at)
    moved = [
        show.starts_at
        for show in stored
        if show.scheduled
        and show.product_id in own
        and show.starts_at < ends_at
        and (not before or show.starts_at >= before)
    ]
    return max(moved, default=before)


def _last_end(shows: Sequence[_KnownShow], before: datetime) -> datetime | None:
    return max((show.ends_at for show in shows if show.ends_at < before), default=None)


def _listed(shows: Sequence[Show]) -> list[_KnownShow]:
    return [
        _KnownShow(show.channel_id, show.starts_at, show.ends_at, show.source_product_id, scheduled=True)
        for show in shows
        if show.starts_at is not None
    ]


def _stored(conn: Connection, table: Table, on_air: Sequence[Show]) -> list[_KnownShow]:
    column = table.c
    statement = select(
        column.channel_id, column.starts_at, column.ends_at, column.source_product_id, column.cancelled_at.is_(None)
    ).where(
        column.channel_id.in_({show.channel_id for show in on_air}),
        column.ends_at > min(show.ends_at for show in on_air) - LONGEST_SHOW,
        column.starts_at < max(show.ends_at for show in on_air),
    )
    return [_KnownShow(*row) for row in conn.execute(statement)]
