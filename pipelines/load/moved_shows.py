"""Shows that a broadcaster moves within a day keep their id, which is their address in the API."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, tuple_, update

from pipelines.load.ledger import table_of
from sql.service.catalog import Broadcast
from sql.upsert import chunks
from ukok.korea import KST

BROADCAST: Final = table_of(Broadcast)
# Channel, start, source and product of a show.
ShowKey = tuple[int, datetime, str, int]
KEY: Final = ("channel_id", "starts_at", "source", "source_product_id")


def scheduled_shows(conn: Connection, shows: Collection[ShowKey]) -> set[ShowKey]:
    """Return which of the shows are stored and not cancelled."""
    columns = [BROADCAST.c[name] for name in KEY]
    found: set[ShowKey] = set()
    for chunk in chunks(list(shows)):
        query = select(*columns).where(tuple_(*columns).in_(chunk), BROADCAST.c.cancelled_at.is_(None))
        found |= {
            (channel_id, starts_at, source, product) for channel_id, starts_at, source, product in conn.execute(query)
        }
    return found


def keep_ids(conn: Connection, appeared: Collection[ShowKey], cancelled: Collection[ShowKey]) -> None:
    """Swap the ids of a show that appeared and of the one that was cancelled in its place."""
    pairs = list(find_moves(appeared, cancelled))
    ids = _ids(conn, [key for pair in pairs for key in pair])
    for old, new in pairs:
        kept, other = ids[old], ids[new]
        # No two rows may have the same id in between, and no id is negative.
        for before, after in ((other, -other), (kept, other), (-other, kept)):
            conn.execute(update(BROADCAST).where(BROADCAST.c.broadcast_id == before).values(broadcast_id=after))


def find_moves(appeared: Collection[ShowKey], cancelled: Collection[ShowKey]) -> Iterator[tuple[ShowKey, ShowKey]]:
    """Yield old and new key of each show that was moved: same channel, day and product, the shortest moves first."""
    places = defaultdict[tuple[object, ...], list[ShowKey]](list)
    for new in appeared:
        places[_place(new)].append(new)
    moves = [(abs(new[1] - old[1]), old, new) for old in cancelled for new in places.get(_place(old), ())]
    done: set[ShowKey] = set()
    for _, old, new in sorted(moves):
        if not {old, new} & done:
            done |= {old, new}
            yield old, new


def _place(key: ShowKey) -> tuple[object, ...]:
    channel_id, starts_at, source, product = key
    return channel_id, starts_at.astimezone(KST).date(), source, product


def _ids(conn: Connection, keys: Collection[ShowKey]) -> Mapping[ShowKey, int]:
    columns = [BROADCAST.c[name] for name in KEY]
    ids: dict[ShowKey, int] = {}
    for chunk in chunks(list(keys)):
        for *key, number in conn.execute(select(*columns, BROADCAST.c.broadcast_id).where(tuple_(*columns).in_(chunk))):
            channel_id, starts_at, source, product = key
            ids[channel_id, starts_at, source, product] = number
    return ids
